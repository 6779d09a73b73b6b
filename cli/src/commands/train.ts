import { basename, extname, join } from 'node:path';
import type { EngineName, TrainResult } from '@gpn/training';
import { type Command, Option } from 'commander';
import { amount, deviceOption, examples, seed, wholeNumber } from '../options.js';

interface Options {
  out?: string;
  data?: string;
  epochs?: number;
  steps?: number;
  batchSize?: number;
  seed?: number;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  threads?: number;
  engine: EngineName;
  resume?: boolean;
  stage?: 'discriminator' | 'generator';
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
    .option(
      '--threads <n>',
      'threads of the cpu device, which decide how sums are rounded (default: one for each processor, one for the smallest steps)',
      wholeNumber(1, 1024),
    )
    .addOption(
      new Option('--engine <engine>', 'what runs the steps; tensorflow is yours to install')
        .choices(['onnx', 'tensorflow'])
        .default('onnx'),
    )
    .addOption(
      new Option(
        '--stage <network>',
        'where the networks learn one after the other: train the discriminator alone, or go on from there',
      ).choices(['discriminator', 'generator']),
    )
    .option('--resume', 'go on from the last checkpoint of the run, if there is one')
    .option('--json', 'print the closing summary as JSON')
    .addHelpText(
      'after',
      examples(
        'train dcgan-mnist',
        'train dcgan-mnist --epochs 20 --out runs/first',
        'train dcgan-mnist --out runs/first --resume',
        'train gan-mnist --device cpu --threads 1',
        'train gpn-mnist --stage discriminator --out runs/gpn',
        'train gpn-mnist --stage generator --out runs/gpn',
        'train my-recipe.yml --data photos/ --steps 5000',
      ),
    )
    .action(trainByRecipe);
}

async function trainByRecipe(name: string, options: Options): Promise<void> {
  const { data: dataset, epochs, steps, batchSize, seed, device, engine, json } = options;
  const { resolveRecipe, train } = await import('@gpn/training');
  const recipe = resolveRecipe(name, { dataset, epochs, steps, batchSize, seed });
  const out = options.out ?? join('runs', basename(name, extname(name)));
  const { checkWritable } = await import('../files.js');
  await checkWritable(out, 'folder', '--out');

  const { createProgress } = await import('../progress.js');
  const progress = createProgress(process.stderr);
  const interrupt = interruptible(progress.stop);
  const { signal } = interrupt;
  let result: TrainResult;
  try {
    const { resume = false, stage, threads } = options;
    const { on } = progress;
    result = await train(recipe, {
      out,
      device,
      engine,
      resume,
      ...(stage && { stage }),
      ...(threads && { threads }),
      signal,
      on,
    });
  } finally {
    progress.stop();
    interrupt.release();
  }
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : closing(result));
}

function closing({ type, out, step, steps, checkpoint, best, ...done }: TrainResult): string {
  if (type === 'interrupted')
    return `Stopped at step ${step} of ${steps}, kept in ${checkpoint}; the same command with --resume goes on.\n`;
  if (type === 'stage')
    return [
      `Trained the discriminator for ${step} steps: ${done.discriminator}`,
      `The same command with --stage generator goes on, to step ${steps}.\n`,
    ].join('\n');
  return [
    `Trained ${step} steps, in ${out}:`,
    `  generator      ${done.generator}`,
    `  discriminator  ${done.discriminator}`,
    ...(best ? [`  at its best    ${best.generator} (step ${best.step})`] : []),
    `  samples        ${join(out, 'samples')}`,
    `  losses         ${join(out, 'losses.svg')}`,
    ...(best ? [`  evaluations    ${join(out, 'evaluation.svg')}`] : []),
    `All of it in TensorBoard: tensorboard --logdir ${out}`,
    ...(best
      ? [
          `The best is the evaluation with the lowest Fréchet distance, ${best.frechet.toFixed(1)}; generator.onnx is from the last step.`,
        ]
      : []),
    `Draw from it: gpn-cli sample --model ${best?.generator ?? done.generator} --out digits.png\n`,
  ].join('\n');
}

/** By convention, 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first Ctrl-C (or SIGTERM) asks training to stop at a checkpoint; the second one kills. */
function interruptible(tidy: () => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const stop = (name: keyof typeof SIGNALS): void => {
    if (controller.signal.aborted) {
      tidy(); // the bar has changed how the terminal wraps its lines
      process.exit(SIGNALS[name]);
    }
    controller.abort();
    process.stderr.write(
      '\ngpn-cli: Saving a checkpoint before stopping; once more stops at once.\n',
    );
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}
