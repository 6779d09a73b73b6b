import { basename, extname, join } from 'node:path';
import { resolveRecipe, type TrainResult, train } from '@gpn/training';
import { checkWritable } from '../files.js';
import type { OptionsOf } from '../options/spec.js';
import type { TRAIN } from '../options/train.js';
import { print } from '../terminal/print.js';
import { createProgress } from '../terminal/progress.js';

export async function run(name: string, options: OptionsOf<typeof TRAIN>): Promise<void> {
  const { data: dataset, epochs, steps, batchSize, seed, device, engine, json } = options;
  const recipe = resolveRecipe(name, { dataset, epochs, steps, batchSize, seed });
  const out = options.out ?? join('runs', basename(name, extname(name)));
  await checkWritable(out, 'folder', '--out');

  const progress = createProgress(process.stderr);
  const interrupt = interruptible(progress.stop);
  let result: TrainResult;
  try {
    const { resume = false, stage, threads } = options;
    result = await train(recipe, {
      out,
      device,
      engine,
      resume,
      ...(stage && { stage }),
      ...(threads && { threads }),
      signal: interrupt.signal,
      on: progress.on,
    });
  } finally {
    progress.stop();
    interrupt.release();
  }
  print(json ? `${JSON.stringify(result)}\n` : summary(result));
}

/** What is printed at the end, by how the training ended. */
function summary(result: TrainResult): string {
  const { type, step, steps } = result;
  if (type === 'interrupted')
    return `Stopped at step ${step} of ${steps}. The state is saved in ${result.checkpoint}; continue with the same command and --resume.\n`;
  if (type === 'stage')
    return [
      `Trained the discriminator for ${step} steps: ${result.discriminator}`,
      `Continue with the same command and --stage generator, up to step ${steps}.\n`,
    ].join('\n');
  const { out, best, generator, discriminator } = result;
  return [
    `Trained ${step} steps, in ${out}:`,
    `  generator      ${generator}`,
    `  discriminator  ${discriminator}`,
    ...(best ? [`  best so far    ${best.generator} (step ${best.step})`] : []),
    `  samples        ${join(out, 'samples')}`,
    `  losses         ${join(out, 'losses.svg')}`,
    ...(best ? [`  evaluations    ${join(out, 'evaluation.svg')}`] : []),
    `Show everything in TensorBoard: tensorboard --logdir ${out}`,
    ...(best
      ? [
          `The best generator is the one with the lowest Fréchet distance, ${best.frechet.toFixed(1)}; generator.onnx is from the last step.`,
        ]
      : []),
    `Draw with it: gpn-cli sample --model ${best?.generator ?? generator} --out samples.png\n`,
  ].join('\n');
}

/** Exit codes of a process that a signal ended: by convention, 128 and the signal's number. */
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
      '\ngpn-cli: Saving a checkpoint before stopping; press Ctrl-C again to stop at once.\n',
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
