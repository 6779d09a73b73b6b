import { amount, minutes, positive, seed, wholeNumber } from './declare/parsers.js';
import {
  choice,
  conflicting,
  declare,
  device,
  flag,
  parsed,
  text,
  withDefault,
} from './declare/spec.js';

export const TRAIN = declare({
  argument: [
    '[recipe]',
    'the name of a bundled recipe, or a YAML file; with --data FOLDER alone, one is made as by new',
  ],
  options: {
    out: text('-o, --out <dir>', 'the folder of the run (default: runs/<recipe>)'),
    data: text(
      '--data <path>',
      'a folder of IDX files or of images, instead of the data that the recipe names',
    ),
    from: text(
      '--from <model>',
      'start with the weights of a trained detector, a bundled one or an .onnx file, in place of drawn ones',
    ),
    epochs: conflicting(parsed('--epochs <n>', 'passes over the data', amount), 'steps'),
    steps: parsed('--steps <n>', 'training steps, instead of epochs', amount),
    minutes: conflicting(
      parsed(
        '--minutes <n>',
        'as many steps as take about so long on this machine, or as are good for few pictures',
        minutes,
      ),
      'epochs',
      'steps',
    ),
    batchSize: parsed('--batch-size <n>', 'images per step', amount),
    seed: parsed('--seed <n>', 'the seed of the weights, the noise and the order of images', seed),
    device,
    threads: parsed(
      '--threads <n>',
      'threads of the cpu device; their number affects how sums are rounded (default: one per processor, only one for very small steps)',
      wholeNumber(1, 1024),
    ),
    engine: withDefault(
      choice('--engine <engine>', 'what runs the steps; tensorflow has to be installed first', [
        'onnx',
        'tensorflow',
      ]),
      'onnx',
    ),
    stage: choice(
      '--stage <network>',
      'if the recipe trains one network after the other: train only the discriminator, or continue with the generator',
      ['discriminator', 'generator'],
    ),
    learningRateScale: parsed(
      '--learning-rate-scale <x>',
      'multiply the learning rates by this from the first step of this command on; with --resume, after a divergence',
      positive(1000),
    ),
    resume: flag('--resume', 'continue from the last checkpoint of the run, if there is one'),
    json: flag('--json', 'print the final summary as JSON'),
  },
  examples: [
    'train dcgan-mnist',
    'train dcgan-mnist --epochs 20 --out runs/first',
    'train dcgan-mnist --out runs/first --resume',
    'train my-recipe.yml --resume --learning-rate-scale 0.5',
    'train gan-mnist --device cpu --threads 1',
    'train gpn-mnist --stage discriminator --out runs/gpn',
    'train gpn-mnist --stage generator --out runs/gpn',
    'train my-recipe.yml --data photos/ --steps 5000',
    'train my-recipe.yml --minutes 60',
    'train my-detector.yml --from runs/before/discriminator.onnx',
    'train --data photos/ --minutes 60',
  ],
});
