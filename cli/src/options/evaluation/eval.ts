import { list, range, wholeNumber } from '../declare/parsers.js';
import { declare, device, flag, parsed, required, text, withDefault } from '../declare/spec.js';

/** The options that `eval` and `compare` share. */
const MEASURING = {
  classes: parsed('--classes <names>', 'only real images of these classes, such as 0 or 3,5', list),
  samples: withDefault(
    parsed('--samples <n>', 'images drawn for each seed', wholeNumber(2, 1_000_000_000)),
    10_000,
  ),
  seeds: withDefault(
    parsed(
      '--seeds <n>',
      'number of seeds, starting at 0; the result is their median',
      wholeNumber(1, 100),
    ),
    1,
  ),
  features: text(
    '--features <file|name>',
    'an ONNX file that extracts features of images, such as one of gpn-cli judge (default: the judge that belongs to the data, or none)',
  ),
  featuresRange: parsed(
    '--features-range <low:high>',
    'the values that this file expects for black and white (default: those that the file states, or 0:1)',
    range,
  ),
  sliced: flag(
    '--sliced',
    'measure the sliced Wasserstein distance of mnist and fashion too; that of folders always is',
  ),
  threads: parsed(
    '--threads <n>',
    'threads of the cpu device; their number affects how sums are rounded (default: one per processor)',
    wholeNumber(1, 1024),
  ),
  device,
};

export const EVAL = declare({
  options: {
    model: required(text('--model <file|name>', 'an ONNX file, or the name of a bundled model')),
    data: required(
      text(
        '--data <name|folder>',
        'what it should draw: mnist, fashion, stacked-mnist, or a folder',
      ),
    ),
    ...MEASURING,
    categories: text(
      '--categories <file|name>',
      'the discriminator of an InfoGAN, to measure the error of its categories',
    ),
    trainClassifier: flag(
      '--train-classifier',
      'train a classifier on generated images and test it on real ones',
    ),
    parzen: flag('--parzen', 'estimate the log-likelihood as early papers do, with Parzen windows'),
    json: flag('--json', 'print the result as JSON, for gpn-cli compare'),
    report: text('--report <file.html>', 'write a report with pictures'),
    write: flag('--write', 'write the scores into the metadata of the model file'),
  },
  examples: [
    'eval --model dcgan-mnist --data mnist',
    'eval --model generator.onnx --data mnist --seeds 3 --report report.html',
    'eval --model generator.onnx --data photos/',
    'eval --model generator.onnx --data photos/ --features judge.onnx --json > result.json',
  ],
});

export const COMPARE = declare({
  argument: ['<models|results...>', 'two or more models, or results of gpn-cli eval --json'],
  options: {
    data: text('--data <name|folder>', 'for models: what they should draw'),
    ...MEASURING,
    json: flag('--json', 'print the results as JSON'),
  },
  examples: [
    'compare first.json second.json',
    'compare dcgan-mnist runs/mine/generator.onnx --data mnist',
  ],
});
