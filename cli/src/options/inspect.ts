import { declare, flag } from './declare/spec.js';

const MODEL = ['<file|name>', 'an ONNX file, or the name of a bundled model'] as const;

export const INSPECT = declare({
  argument: MODEL,
  options: {
    json: flag('--json', 'print everything as JSON'),
    ops: flag('--ops', 'print only how often each operator occurs'),
  },
  examples: [
    'inspect dcgan-mnist.onnx',
    'inspect runs/dcgan-mnist/discriminator.onnx --json',
    'inspect model.onnx --ops',
  ],
});

export const VERIFY = declare({
  argument: MODEL,
  options: { json: flag('--json', 'print the differences as JSON') },
  examples: ['verify dcgan-mnist.onnx', 'verify generator.onnx --json'],
});

export const MODELS = declare({
  options: { json: flag('--json', 'print the metadata of every model as JSON') },
  examples: ['models', 'models --json'],
});

export const DOCTOR = declare({
  options: { json: flag('--json', 'print all findings as JSON') },
  examples: ['doctor', 'doctor --json'],
});
