import type { ConvertedModel, InputShapes, Runner } from '@gpn/export';
import { type Command, Option } from 'commander';
import { examples } from '../options.js';

interface Options {
  network?: 'generator' | 'discriminator';
  output: string;
  inputShape?: string[];
  best?: boolean;
  verify: boolean;
  float16?: boolean;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a trained network, or any TF.js model, as an ONNX file')
    .argument(
      '<run|checkpoint|model.json>',
      'the folder of a training run (its last checkpoint), a checkpoint, or a TF.js model',
    )
    .requiredOption('-o, --output <file>', 'the ONNX file to write')
    .addOption(
      new Option('--network <network>', 'of a run: which network (default: generator)').choices([
        'generator',
        'discriminator',
      ]),
    )
    .option(
      '--best',
      'of a run: as it was at its lowest Fréchet distance, not at its last checkpoint',
    )
    .option(
      '--input-shape <name=sizes>',
      'of a model: the sizes of an input that it leaves open, such as image=1x64x96x3; repeat it',
      (text: string, all: string[] = []) => [...all, text],
    )
    .option('--float16', 'store the weights as float16: half the size')
    .option('--no-verify', 'of a model: do not compare the file with TF.js before writing it')
    .addHelpText(
      'after',
      examples(
        'export runs/dcgan-mnist -o generator.onnx',
        'export runs/dcgan-mnist --network discriminator -o discriminator.onnx',
        'export runs/dcgan-mnist --best -o generator.onnx',
        'export model.json -o model.onnx',
        'export model.json -o model.onnx --input-shape image=1x64x96x3',
      ),
    )
    .action(exportAny);
}

async function exportAny(source: string, options: Options): Promise<void> {
  const { checkWritable } = await import('../files.js');
  await checkWritable(options.output, 'file', '--output');
  const isModel = await namesModel(source);
  await refuseStray(isModel, options);
  await (isModel ? exportModel : exportNetwork)(source, options);
}

/** A TF.js model is a .json file or a folder with a model.json; a run has none. */
async function namesModel(source: string): Promise<boolean> {
  const { kindOf } = await import('../files.js');
  const { join } = await import('node:path');
  return /\.json$/i.test(source) || (await kindOf(join(source, 'model.json'))) === 'file';
}

async function refuseStray(isModel: boolean, options: Options): Promise<void> {
  const { network, best, inputShape, verify } = options;
  const { UserError } = await import('@gpn/runtime');
  if (isModel && network)
    throw new UserError('--network chooses a network of a training run: a TF.js model has one.');
  if (isModel && best) throw new UserError('--best is for training runs, which evaluations judge.');
  const stray = inputShape ? '--input-shape' : verify ? '' : '--no-verify';
  if (!isModel && stray)
    throw new UserError(`${stray} is for TF.js models, which are given by their model.json.`);
}

async function exportNetwork(
  source: string,
  { network = 'generator', best, float16, output }: Options,
) {
  const { exportRun } = await import('@gpn/training');
  const { path } = await exportRun(source, {
    ...{ network, out: output },
    ...(best && { best }),
    ...(float16 && { float16 }),
  });
  process.stdout.write(`Wrote the ${network} to ${path}\n`);
}

async function exportModel(source: string, options: Options): Promise<void> {
  const { ExportError } = await import('@gpn/export');
  const { UserError } = await import('@gpn/runtime');
  try {
    await convert(source, options);
  } catch (error) {
    throw error instanceof ExportError
      ? new UserError(error.message, { cause: error.cause })
      : error;
  }
}

async function convert(source: string, options: Options): Promise<void> {
  const { output, float16 = false, verify } = options;
  const { convertModel } = await import('@gpn/export');
  const { writeFileAtomic } = await import('@gpn/training/atomic');
  const inputShapes = await shapesOf(options.inputShape ?? []);
  const converted = await convertModel(source, { inputShapes, float16 });
  const bytes = converted.model.toBytes();
  const lines = [...converted.notes];
  if (verify) lines.push(await compareWithOriginal(converted, bytes));
  await writeFileAtomic(output, bytes);
  const size = (bytes.length / 1e6).toFixed(1);
  lines.push(`Wrote the ${converted.kind} model to ${output} (${size} MB)`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

async function shapesOf(flags: readonly string[]): Promise<InputShapes> {
  const { parseInputShape } = await import('@gpn/export');
  return Object.fromEntries(flags.map(parseInputShape));
}

/** @throws ExportError where they differ by more than the tolerance */
async function compareWithOriginal(converted: ConvertedModel, bytes: Uint8Array): Promise<string> {
  const { verifyModel } = await import('@gpn/export');
  const { openSession } = await import('@gpn/runtime');
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
        : `; TF.js's own moves by ${unrest.toExponential(1)} when its inputs do in their last bit`)
    );
  } finally {
    await session.dispose();
  }
}
