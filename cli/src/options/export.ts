import { fileOptions, modelOptions } from '@gpn/export/command';
import { choice, declare, flag, required, text } from './declare/spec.js';

export const EXPORT = declare({
  argument: [
    '<run|checkpoint|model.json|recipe>',
    'the folder of a training run (its last checkpoint), a checkpoint, or a TF.js model; a recipe with --training-step',
  ],
  options: {
    output: required(text('-o, --output <file>', 'the ONNX file to write')),
    network: choice(
      '--network <network>',
      'for a training run: which network (default: generator)',
      ['generator', 'discriminator'],
    ),
    best: flag(
      '--best',
      'for a training run: the weights with the lowest Fréchet distance, instead of the last checkpoint',
    ),
    trainingStep: flag(
      '--training-step',
      'for a recipe or a training run: the step itself, by which a page trains (@gpn/training/web)',
    ),
    ...modelOptions('for a TF.js model'),
    ...fileOptions(),
  },
  examples: [
    'export runs/dcgan-mnist -o generator.onnx',
    'export runs/dcgan-mnist --network discriminator -o discriminator.onnx',
    'export runs/dcgan-mnist --best -o generator.onnx',
    'export dcgan-mnist --training-step -o step.onnx',
    'export model.json -o model.onnx',
    'export model.json -o model.onnx --input-shape image=1x64x96x3',
    'export model.json -o model.onnx --outputs scores --fix keep_prob=1',
  ],
});
