import { wholeNumber } from './declare/parsers.js';
import { declare, device, flag, parsed, text, withDefault } from './declare/spec.js';

/** A number that may be 0. */
const fromZero = (max: number) => wholeNumber(0, max);

export const SERVE = declare({
  argument: ['<model...>', 'ONNX files, names of bundled models, or NAME=FILE for another name'],
  options: {
    host: withDefault(
      text('--host <address>', 'where to listen; 0.0.0.0: on all networks'),
      '127.0.0.1',
    ),
    port: withDefault(
      parsed('--port <n>', 'where to listen; 0: a free port', fromZero(65_535)),
      8000,
    ),
    token: text(
      '--token <text>',
      'refuse requests without the header Authorization: Bearer TEXT (default: the variable GPN_TOKEN, which other users of the machine do not see)',
    ),
    workers: parsed(
      '--workers <n>',
      'threads that each hold all models (default: 1)',
      wholeNumber(1, 256),
    ),
    threads: parsed(
      '--threads <n>',
      'processors that a run uses (default: all, divided among the workers)',
      wholeNumber(1, 1024),
    ),
    maxBatch: withDefault(
      parsed(
        '--max-batch <n>',
        'images or rows of a run that requests share; 1: each runs alone',
        wholeNumber(1, 4096),
      ),
      64,
    ),
    batchDelay: withDefault(
      parsed(
        '--batch-delay <ms>',
        'how long a request waits for others to share a run with',
        fromZero(10_000),
      ),
      0,
    ),
    maxQueue: withDefault(
      parsed(
        '--max-queue <n>',
        'images or rows that wait; further requests get 429',
        wholeNumber(1, 1_000_000),
      ),
      1024,
    ),
    maxImages: withDefault(
      parsed('--max-images <n>', 'images or rows of a request', wholeNumber(1, 100_000)),
      1024,
    ),
    timeout: withDefault(
      parsed(
        '--timeout <seconds>',
        'how long a request may take to arrive, and to be answered',
        wholeNumber(1, 3600),
      ),
      30,
    ),
    maxBody: withDefault(
      parsed('--max-body <MiB>', 'the size of a request', wholeNumber(1, 1024)),
      16,
    ),
    maxPixels: withDefault(
      parsed(
        '--max-pixels <millions>',
        'the size of a picture, checked before it is decoded',
        wholeNumber(1, 134),
      ),
      16,
    ),
    maxMemory: parsed(
      '--max-memory <MiB>',
      'the memory of the process above which requests get 429 (default: no limit)',
      wholeNumber(64, 1_000_000),
    ),
    device,
    json: flag('--json', 'print what happens as lines of JSON'),
  },
  examples: [
    'serve dcgan-mnist dcgan-mnist-discriminator',
    'serve digits=runs/dcgan-mnist/generator.onnx --port 9000',
    'serve cdcgan-fashion --host 0.0.0.0 --max-memory 1024',
  ],
});
