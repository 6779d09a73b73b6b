import { basename, dirname, relative, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import { checkWritable, kindOf } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { NEW } from '../options/new.js';
import { suggestionsFor } from '../suggest.js';
import { print, printAside } from '../terminal/print.js';

export async function run(folder: string, options: OptionsOf<typeof NEW>): Promise<void> {
  const out = options.out ?? `${basename(resolve(folder))}.yml`;
  if (!/\.ya?ml$/.test(out)) throw new UserError(`--out ${out} must end in .yml.`);
  if (await kindOf(out)) {
    throw new UserError(`${out} exists already: remove it, or give another --out.`);
  }
  await checkWritable(out, 'file', '--out');
  const path = relative(dirname(resolve(out)), resolve(folder)) || '.';
  const trained = await startingPoint(options, dirname(resolve(out)));
  const suggest = await suggestionsFor(folder, path, out, options.detector);
  const { minutes, steps, size, channels, labels, unlabelled, network, seed, device } = options;
  const wishes = {
    trained,
    ...{ size, network, seed, steps },
    channels: channels && (Number(channels) as 1 | 3 | 4),
    labels: labels || (unlabelled ? false : undefined),
  };
  let { text, recipe, count } = suggest(wishes);
  if (minutes !== undefined) {
    const { lasting } = await import('@gpn/training');
    const here = { ...recipe, data: { ...recipe.data, dataset: resolve(folder) } };
    const { training } = await lasting(here, minutes, {
      ...{ out: dirname(resolve(out)), device },
      on: (event) => event.type === 'note' && printAside(`${event.text}\n`),
    });
    ({ text, recipe } = suggest({ ...wishes, steps: training.steps }));
  }
  await writeFileAtomic(out, text);
  if (options.json) {
    print(`${JSON.stringify({ path: out, recipe }, null, 2)}\n`);
    return;
  }
  const { data, model, training } = recipe;
  print(
    [
      `Wrote ${out}: ${model.network} for ${count} images of ${data.width} × ${data.height}, ` +
        `${data.channels === 1 ? 'grey' : data.channels === 3 ? 'colour' : 'colour with transparency'}, ` +
        `${model.classes ? `${model.classes} classes, ` : ''}${training.steps} steps.`,
      ...(data.held_out
        ? [`${data.held_out} of them are held out, to calibrate the detector with.`]
        : []),
      `Train it: gpn-cli train ${out}\n`,
    ].join('\n'),
  );
}

/** What a recipe in this folder starts from, if it is asked to. */
async function startingPoint({ detector, from }: OptionsOf<typeof NEW>, folder: string) {
  if (from === undefined) return undefined;
  if (!detector) {
    throw new UserError('--from is for detectors: give --detector too, or leave it out.');
  }
  const { trainedDetector } = await import('@gpn/training');
  const known = await trainedDetector(from);
  if ((await kindOf(from)) !== 'file') return { from, ...known };
  const path = relative(folder, resolve(from));
  // Without a separator it could be the name of a bundled one.
  return { from: /[/\\]/.test(path) ? path : `./${path}`, ...known };
}
