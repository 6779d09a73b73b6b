import { amount, minutes, seed, wholeNumber } from './declare/parsers.js';
import { choice, conflicting, declare, device, flag, parsed, text } from './declare/spec.js';

/** What can be wished otherwise than suggested; `train --data FOLDER` takes the same. */
export const NEW = declare({
  argument: ['<folder>', 'a folder of pictures; sub-folders may be classes'],
  options: {
    out: text('-o, --out <file.yml>', 'the recipe to write (default: <folder>.yml)'),
    minutes: conflicting(
      parsed(
        '--minutes <n>',
        'as many steps as take about so long on this machine, or as are good for few pictures',
        minutes,
      ),
      'steps',
    ),
    steps: parsed('--steps <n>', 'training steps', amount),
    size: parsed('--size <n>', 'the side of the images in pixels', wholeNumber(16, 256)),
    channels: choice('--channels <n>', '1 grey, 3 colour, 4 colour with transparency', [
      '1',
      '3',
      '4',
    ]),
    labels: flag('--labels', 'sub-folders are classes, however small they are'),
    unlabelled: conflicting(flag('--unlabelled', 'sub-folders are no classes'), 'labels'),
    network: choice('--network <name>', 'the family of networks (default: dcgan)', [
      'dcgan',
      'resnet',
    ]),
    detector: flag(
      '--detector',
      'a recipe of a detector, which learns from normal pictures to find what does not belong',
    ),
    from: text(
      '--from <model>',
      'with --detector: start with the weights of a trained one, such as texture-detector, in place of drawn ones',
    ),
    seed: parsed('--seed <n>', 'the seed of the training (default: 0)', seed),
    device,
    json: flag('--json', 'print the path and the recipe as JSON'),
  },
  examples: [
    'new photos/',
    'new photos/ -o recipe.yml --minutes 60',
    'new normal/ --detector -o pages.yml',
    'new normal/ --detector --from texture-detector',
    'new sprites/ --size 32 --channels 4 --unlabelled',
  ],
});
