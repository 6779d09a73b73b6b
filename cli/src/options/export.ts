import { fixed, list, repeated, wholeNumber } from './declare/parsers.js';
import { choice, declare, flag, parsed, required, switchedOff, text } from './declare/spec.js';

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
    inputShape: parsed(
      '--input-shape <name=sizes>',
      'for a TF.js model: the sizes of an input that it leaves open, such as image=1x64x96x3, or letters where any will do, image=NxHxWx3; a node of a graph becomes an input; can be repeated',
      repeated,
    ),
    outputs: parsed(
      '--outputs <names>',
      'for a TF.js model: what to give instead of its outputs, with commas: outputs, layers, or nodes of a graph',
      list,
    ),
    fix: parsed(
      '--fix <name=value>',
      'for a TF.js model: an input that is always this number, true or false, and no input of the file; can be repeated',
      fixed,
    ),
    random: choice(
      '--random <how>',
      'for a TF.js model that draws random numbers: make them an input of the file, or leave them to the engine',
      ['input', 'operator'],
    ),
    float16: flag(
      '--float16',
      'store the weights as float16, in half the space; some engines other than ONNX Runtime cannot read them',
    ),
    opset: parsed(
      '--opset <number>',
      'the ONNX opset of the file, 13 to 24 (default: the lowest that its operators allow)',
      wholeNumber(1, 1000),
    ),
    verify: switchedOff(
      '--no-verify',
      'for a TF.js model: do not compare the file with TF.js before writing it',
    ),
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
