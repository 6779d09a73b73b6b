import { choice, flag, parsed, switchedOff, text } from './declare.js';
import { fixed, list, repeated, wholeNumber } from './parsers.js';

/** Whom an option is for, in its help: a program that exports other things as well says it. */
const help = (what: string, model: string): string => (model ? `${model}: ${what}` : what);

/**
 * What can be asked of the export of a TF.js model.
 * @param model such as `for a TF.js model`, for a program that exports other things too
 */
export const modelOptions = (model = '') => ({
  inputShape: parsed(
    '--input-shape <name=sizes>',
    help(
      'the sizes of an input that the model leaves open, such as image=1x64x96x3, or letters where any will do, image=NxHxWx3; a node of a graph becomes an input; can be repeated',
      model,
    ),
    repeated,
  ),
  outputs: parsed(
    '--outputs <names>',
    help(
      'what to give instead of its outputs, with commas: outputs, layers, or nodes of a graph',
      model,
    ),
    list,
  ),
  fix: parsed(
    '--fix <name=value>',
    help(
      'an input that is always this number, true or false, and no input of the file; can be repeated',
      model,
    ),
    fixed,
  ),
  random: choice(
    '--random <how>',
    help(
      'what becomes of random numbers that it draws: an input of the file, or left to the engine',
      model,
    ),
    ['input', 'operator'],
  ),
  layers: text(
    '--layers <file.mjs>',
    help(
      'a module of yours, which is run: its default export, (tf) => [class …], gives the layers that TF.js does not know',
      model,
    ),
  ),
  verify: switchedOff(
    '--no-verify',
    help('do not compare the file with TF.js before writing it', model),
  ),
  json: flag('--json', help('print what was written, and how it compares, as JSON', model)),
});

/** How any file is written. */
export const fileOptions = () => ({
  float16: flag(
    '--float16',
    'store the weights as float16, in half the space; some engines other than ONNX Runtime cannot read them',
  ),
  opset: parsed(
    '--opset <number>',
    'the ONNX opset of the file, 13 to 24 (default: the lowest that its operators allow)',
    wholeNumber(13, 24),
  ),
});
