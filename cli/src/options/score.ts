import { bulk, SHARD_SIZE } from './declare/bulk.js';
import { amount, positive, rectangle } from './declare/parsers.js';
import { conflicting, declare, device, flag, parsed, required, text } from './declare/spec.js';

export const SCORE = declare({
  argument: [
    '[image...]',
    'pictures (PNG, JPEG, WebP, AVIF, GIF, TIFF) and folders of them; - for the standard input',
  ],
  options: {
    model: required(text('--model <file|name>', 'an ONNX file, or the name of a bundled model')),
    rect: parsed('--rect <x,y,w,h>', 'score this part of each picture', rectangle),
    map: text(
      '--map <file>',
      'FILE.png: over the picture, what does not belong, or a heat map if the model is not calibrated; FILE.npy: the scores',
    ),
    threshold: parsed(
      '--threshold <p>',
      'say which pictures are anomalous: those with a p-value up to this, such as 0.01; exit code 3 if there are any',
      positive(1),
    ),
    mask: text(
      '--mask <file.png>',
      'white where something does not belong, black elsewhere (threshold: 0.01 unless given)',
    ),
    report: text(
      '--report <file.html>',
      'write a page with what was found in all pictures, the worst first',
    ),
    masks: text(
      '--masks <folder>',
      'for the report: what is wrong with the bad pictures, as NAME.png or NAME_mask.png; the others count as normal',
    ),
    stride: parsed('--stride <n>', 'pixels from one window of the map to the next', amount),
    label: text(
      '--label <class>',
      'for a conditional model: the class that the picture should show, by number or name',
    ),
    manifest: conflicting(
      text(
        '--manifest <list|folder|glob>',
        'score any number of pictures in bulk, into --out: a file with a path on each line, a folder, or a quoted pattern such as "scans/**/*.png"',
      ),
      'map',
      'mask',
      'report',
      'masks',
      'csv',
    ),
    out: text(
      '-o, --out <dir>',
      'in bulk: the folder of the results; the same command goes on there',
    ),
    fragments: conflicting(
      flag(
        '--fragments',
        'in bulk: a row for each fragment, or window, of a picture rather than for each picture',
      ),
      'rect',
    ),
    ...bulk(SHARD_SIZE.score),
    device,
    json: flag('--json', 'print the scores as JSON'),
    csv: conflicting(flag('--csv', 'print the scores as CSV'), 'json'),
  },
  examples: [
    'score --model dcgan-mnist-discriminator.onnx digit.png',
    'score --model dcgan-mnist-discriminator.onnx scans/ more/*.png --csv',
    'score --model dcgan-mnist-discriminator.onnx --rect 10,20,28,28 scan.jpg --json',
    'score --model dcgan-mnist-discriminator.onnx --map heat.png --stride 4 scan.jpg',
    'score --model calibrated.onnx --threshold 0.01 --json scans/',
    'score --model calibrated.onnx --report report.html scans/',
    'score --model calibrated.onnx --mask mask.png --map found.png scan.jpg',
    'score --model calibrated.onnx --manifest pictures.txt --out scores',
    'score --model calibrated.onnx --manifest "scans/**/*.png" --out scores --format parquet --fragments',
    'score --model calibrated.onnx --manifest scans --out scores --print slurm --parts 20 > scores.sh',
  ],
});
