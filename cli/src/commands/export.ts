import { join } from 'node:path';
import {
  type ConvertedModel,
  convertModel,
  ExportError,
  parseInputShape,
  type Runner,
  verifyModel,
} from '@gpn/export';
import { openSession, UserError } from '@gpn/runtime';
import { exportRun, exportStep } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { checkWritable, kindOf } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { EXPORT } from '../options/export.js';
import { print, printAside } from '../terminal/print.js';

type Options = OptionsOf<typeof EXPORT>;

export async function run(source: string, options: Options): Promise<void> {
  await checkWritable(options.output, 'file', '--output');
  await refuseForeign(source);
  const isModel = await namesModel(source);
  refuseStray(isModel, options);
  try {
    await (isModel ? exportModel : exportNetwork)(source, options);
  } catch (error) {
    throw error instanceof ExportError
      ? new UserError(error.message, { cause: error.cause })
      : error;
  }
}

/** Files of other formats, by their ends, and what makes a model.json of them. */
const FOREIGN: readonly (readonly [end: RegExp, what: string, remedy: string])[] = [
  [
    /(^|\/)tensorflowjs_model\.pb$/,
    'a model of TensorFlow.js before 1.0',
    'convert the original again with a tensorflowjs_converter of today',
  ],
  [
    /\.pb$/i,
    'a graph of TensorFlow',
    'convert it with tensorflowjs_converter (pip install tensorflowjs)',
  ],
  [
    /\.(h5|hdf5|keras)$/i,
    'a Keras file',
    'convert it with tensorflowjs_converter --input_format keras or keras_keras (pip install tensorflowjs)',
  ],
  [/\.tflite$/i, 'a TensorFlow Lite file', 'convert the model that it was made of'],
  [/\.onnx$/i, 'an ONNX file already', 'take what it was made of'],
];

/** Files that such a model has in its folder. */
const INSIDE = ['tensorflowjs_model.pb', 'saved_model.pb'];

async function refuseForeign(source: string): Promise<void> {
  const inside = INSIDE.map((name) => join(source, name));
  const kinds = await Promise.all([join(source, 'model.json'), ...inside].map(kindOf));
  const [isModel, ...found] = kinds.map((kind) => kind === 'file');
  const file = (!isModel && inside.find((_, i) => found[i])) || source;
  const foreign = FOREIGN.find(([end]) => end.test(file));
  if (!foreign) return;
  const [, what, remedy] = foreign;
  throw new UserError(
    `${file} is ${what}, which cannot be read: ${remedy}, and give the model.json that comes of it.`,
  );
}

/** A TF.js model is a .json file or a folder with a model.json, which a run does not have. */
async function namesModel(source: string): Promise<boolean> {
  return /\.json$/i.test(source) || (await kindOf(join(source, 'model.json'))) === 'file';
}

function refuseStray(isModel: boolean, options: Options): void {
  const { network, best, inputShape, verify, trainingStep } = options;
  if (isModel && trainingStep)
    throw new UserError(
      '--training-step is for recipes and training runs: a TF.js model has none.',
    );
  if (isModel && network)
    throw new UserError(
      '--network chooses a network of a training run: a TF.js model is only one network.',
    );
  if (isModel && best)
    throw new UserError('--best is for training runs: a TF.js model has no evaluations.');
  const { outputs, fix, random } = options;
  const given = {
    '--input-shape': inputShape,
    '--outputs': outputs,
    '--fix': fix,
    '--random': random,
    '--no-verify': !verify,
  };
  const [stray] = Object.entries(given).flatMap(([name, value]) => (value ? [name] : []));
  if (!isModel && stray)
    throw new UserError(`${stray} is for TF.js models, which are named by their model.json.`);
}

async function exportNetwork(source: string, options: Options): Promise<void> {
  if (options.trainingStep) return exportTrainingStep(source, options);
  const { network = 'generator', best, float16, opset, output } = options;
  const { path, problems } = await exportRun(source, {
    network,
    out: output,
    ...(best && { best }),
    ...(float16 && { float16 }),
    opset,
  });
  for (const problem of problems) printAside(`${problem}\n`);
  print(`Wrote the ${network} to ${path}\n`);
}

async function exportTrainingStep(source: string, options: Options): Promise<void> {
  const { network, best, float16, opset, output } = options;
  const given = { '--network': network, '--best': best, '--float16': float16, '--opset': opset };
  const [stray] = Object.entries(given).flatMap(([name, value]) => (value ? [name] : []));
  if (stray) throw new UserError(`${stray} is for a network: leave it out with --training-step.`);
  const { name, bytes } = await exportStep(source, output);
  print(`Wrote the training step of ${name} to ${output} (${(bytes / 1e6).toFixed(1)} MB)\n`);
}

async function exportModel(source: string, options: Options): Promise<void> {
  const { output, float16 = false, opset, outputs, fix = {}, random, verify } = options;
  const inputShapes = Object.fromEntries((options.inputShape ?? []).map(parseInputShape));
  const convert = (draws: typeof random) =>
    convertModel(source, { inputShapes, outputs, fix, random: draws, float16, opset });
  const converted = await convert(random);
  const bytes = converted.model.toBytes();
  const lines = [...converted.notes];
  if (verify) {
    // What an engine draws cannot be compared; the rest can, with the draws as inputs.
    const compared = random === 'operator' ? await convert('input') : converted;
    lines.push(await compareWithOriginal(compared, compared.model.toBytes()));
  }
  await writeFileAtomic(output, bytes);
  const size = (bytes.length / 1e6).toFixed(1);
  lines.push(`Wrote the ${converted.kind} model to ${output} (${size} MB)`);
  print(lines.map((line) => `${line}\n`).join(''));
}

/** @throws ExportError if the results differ by more than the tolerance */
async function compareWithOriginal(converted: ConvertedModel, bytes: Uint8Array): Promise<string> {
  const session = await openSession(bytes, { device: 'cpu', label: 'The exported model' });
  try {
    const run: Runner = (inputs) => session.run(inputs);
    const { difference, output, batches, unrest } = await verifyModel(converted, run);
    const at = batches.length > 0 ? ` at batches of ${batches.join(' and ')}` : '';
    return (
      `Largest difference from TF.js${at}: ${difference.toExponential(1)} of the largest value` +
      ` (output ${output})` +
      (unrest === undefined
        ? ''
        : `; changing the last bit of the inputs changes the result of TF.js by ${unrest.toExponential(1)}`)
    );
  } finally {
    await session.dispose();
  }
}
