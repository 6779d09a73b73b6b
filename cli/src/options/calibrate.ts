import { wholeNumber } from './declare/parsers.js';
import { declare, device, flag, parsed, required, text } from './declare/spec.js';

export const CALIBRATE = declare({
  argument: ['<model>', 'the ONNX file of a discriminator, or the name of a bundled model'],
  options: {
    data: required(
      text(
        '--data <folder|name>',
        'normal pictures that it was not trained with, of the sizes that will be scored: a folder, or the test images of mnist or fashion',
      ),
    ),
    count: parsed('--count <n>', 'use only the first so many', wholeNumber(1, 1_000_000)),
    output: text('-o, --output <file.onnx>', 'the file to write (default: the model itself)'),
    device,
    json: flag('--json', 'print the result as JSON'),
  },
  examples: [
    'calibrate runs/pages/discriminator.onnx --data normal/',
    'calibrate gpn-mnist-large-discriminator --data mnist --count 2000 -o detector.onnx',
    'score --model detector.onnx --threshold 0.01 scans/',
  ],
});
