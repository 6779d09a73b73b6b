import { ExportError, namesModel } from '@gpn/export';
import { exportModel } from '@gpn/export/command/model';
import { openSession, UserError } from '@gpn/runtime';
import { exportRun, exportStep } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { checkWritable } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { EXPORT } from '../options/export.js';
import { print, printAside } from '../terminal/print.js';

type Options = OptionsOf<typeof EXPORT>;

/** A checkpoint's name; gpn-export takes such a file for somebody's weights. */
const CHECKPOINT = /\.safetensors$/i;

export async function run(source: string, options: Options): Promise<void> {
  await checkWritable(options.output, 'file', '--output');
  const isModel = !CHECKPOINT.test(source) && (await namesModel(source));
  refuseStray(isModel, options);
  try {
    if (isModel) print(await exportModel(source, options.output, options, SURROUNDINGS));
    else await exportNetwork(source, options);
  } catch (error) {
    throw error instanceof ExportError
      ? new UserError(error.message, { cause: error.cause })
      : error;
  }
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
  const { outputs, fix, random, layers, json } = options;
  const given = {
    '--input-shape': inputShape,
    '--outputs': outputs,
    '--fix': fix,
    '--random': random,
    '--layers': layers,
    '--no-verify': !verify,
    '--json': json,
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

const SURROUNDINGS = {
  open: (bytes: Uint8Array) =>
    openSession(bytes, { device: 'cpu' as const, label: 'The exported model' }),
  withoutEngine: 'Not compared with TF.js', // there always is one
  write: writeFileAtomic,
};
