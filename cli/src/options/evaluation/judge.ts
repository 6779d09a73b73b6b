import { amount, seed, wholeNumber } from '../declare/parsers.js';
import {
  choice,
  declare,
  device,
  flag,
  parsed,
  required,
  text,
  withDefault,
} from '../declare/spec.js';

export const JUDGE = declare({
  argument: [
    '<folder|recipe>',
    'a folder with a sub-folder for each class, or a recipe, whose data is taken as it is trained with',
  ],
  options: {
    output: required(text('-o, --output <file.onnx>', 'the file to write')),
    size: withDefault(
      parsed('--size <n>', 'of a folder: height and width that pictures get', wholeNumber(8, 256)),
      32,
    ),
    channels: withDefault(
      choice('--channels <n>', 'of a folder: 1 for grey pictures, 3 for colour, 4 with alpha', [
        '1',
        '3',
        '4',
      ]),
      '3',
    ),
    flip: flag('--flip', 'learn from mirrored pictures too: right for things, wrong for writing'),
    steps: parsed('--steps <n>', 'training steps (default: twenty passes over the data)', amount),
    seed: withDefault(parsed('--seed <n>', 'the seed of the weights and of the order', seed), 0),
    device,
    threads: parsed('--threads <n>', 'threads of the cpu device', wholeNumber(1, 1024)),
    json: flag('--json', 'print the result as JSON'),
  },
  examples: [
    'judge photos/ -o judge.onnx',
    'judge sprites/ --size 16 --channels 1 -o judge.onnx',
    'judge my-recipe.yml -o judge.onnx',
    'eval --model generator.onnx --data photos/ --features judge.onnx',
  ],
});
