import { basename, extname, join } from 'node:path';
import type { TrainResult } from '@gpn/training';
import { type Command, Option } from 'commander';
import { amount, deviceOption, examples, seed } from '../options.js';

interface Options {
  out?: string;
  data?: string;
  epochs?: number;
  steps?: number;
  batchSize?: number;
  seed?: number;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  resume?: boolean;
  json?: boolean;
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train a GAN by a recipe, and export both networks')
    .argument('<recipe>', 'the name of a bundled recipe, or a YAML file')
    .option('--out <dir>', 'the folder of the run (default: runs/<recipe>)')
    .option('--data <path>', 'a folder of IDX files or of images, instead of the recipe’s data')
    .addOption(
      new Option('--epochs <n>', 'passes over the data').argParser(amount).conflicts('steps'),
    )
    .addOption(new Option('--steps <n>', 'training steps, instead of epochs').argParser(amount))
    .option('--batch-size <n>', 'images per step', amount)
    .option('--seed <n>', 'the seed of weights, noise and order', seed)
    .addOption(deviceOption())
    .option('--resume', 'go on from the last checkpoint in the folder of the run')
    .option('--json', 'print the closing summary as JSON')
    .addHelpText(
      'after',
      examples(
        'train dcgan-mnist',
        'train dcgan-mnist --epochs 20 --out runs/first',
        'train dcgan-mnist --out runs/first --resume',
        'train my-recipe.yml --data photos/ --steps 5000',
      ),
    )
    .action(trainCommand);
}

async function trainCommand(name: string, options: Options): Promise<void> {
  const { resolveRecipe, train } = await import('@gpn/training');
  const { checkWritable } = await import('../files.js');
  const { createProgress } = await import('../progress.js');
  const { data, epochs, steps, batchSize, seed, device, json } = options;
  const out = options.out ?? join('runs', basename(name, extname(name)));

  const recipe = await resolveRecipe(name, { epochs, steps, batchSize, seed });
  await checkWritable(out, 'folder', '--out');
  const interrupt = interruptible();
  const progress = createProgress(process.stderr);
  try {
    const result = await train(recipe, {
      out,
      data,
      device,
      resume: options.resume ?? false,
      signal: interrupt.signal,
      on: progress.on,
    });
    progress.stop();
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : closing(result, name, out));
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** The first Ctrl-C (or SIGTERM) asks training to stop at a checkpoint; the second one kills. */
function interruptible(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const codes = { SIGINT: 130, SIGTERM: 143 } as const;
  const stop = (name: 'SIGINT' | 'SIGTERM'): void => {
    if (controller.signal.aborted) process.exit(codes[name]);
    controller.abort();
    process.stderr.write(
      '\ngpn-cli: Saving a checkpoint before stopping; once more stops at once.\n',
    );
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
    },
  };
}

function closing(result: TrainResult, recipe: string, out: string): string {
  void result;
  void recipe;
  return out;
}
