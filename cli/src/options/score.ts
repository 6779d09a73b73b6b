import { amount, rectangle } from './parsers.js';
import { conflicting, declare, device, flag, parsed, required, text } from './spec.js';

export const SCORE = declare({
  argument: [
    '<image...>',
    'pictures (PNG, JPEG, WebP, AVIF, GIF, TIFF) and folders of them; - for the standard input',
  ],
  options: {
    model: required(text('--model <file|name>', 'an ONNX file, or the name of a bundled model')),
    rect: parsed('--rect <x,y,w,h>', 'score this part of each picture', rectangle),
    map: text('--map <file>', 'FILE.png: a heat map over the picture; FILE.npy: its values'),
    stride: parsed('--stride <n>', 'pixels from one window of the map to the next', amount),
    label: text(
      '--label <class>',
      'for a conditional model: the class that the picture should show, by number or name',
    ),
    device,
    json: flag('--json', 'print the scores as JSON'),
    csv: conflicting(flag('--csv', 'print the scores as CSV'), 'json'),
  },
  examples: [
    'score --model dcgan-mnist-discriminator.onnx digit.png',
    'score --model dcgan-mnist-discriminator.onnx scans/ more/*.png --csv',
    'score --model dcgan-mnist-discriminator.onnx --rect 10,20,28,28 scan.jpg --json',
    'score --model dcgan-mnist-discriminator.onnx --map heat.png --stride 4 scan.jpg',
  ],
});
