import { basename, dirname, join, relative, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import { surveyFolder } from '@gpn/training/pictures';
import { checkWritable, kindOf } from '../files.js';
import type { NEW } from '../options/new.js';
import type { OptionsOf } from '../options/spec.js';
import { print, printAside } from '../terminal/print.js';
import { statusLine } from '../terminal/status.js';

export async function run(folder: string, options: OptionsOf<typeof NEW>): Promise<void> {
  const out = options.out ?? `${basename(resolve(folder))}.yml`;
  if (!/\.ya?ml$/.test(out)) throw new UserError(`--out ${out} must end in .yml.`);
  if (await kindOf(out)) {
    throw new UserError(`${out} exists already: remove it, or give another --out.`);
  }
  await checkWritable(out, 'file', '--out');
  const line = statusLine(process.stderr);
  const survey = await surveyFolder(folder, {
    onProgress: (done, total) => line.show(`${done} of ${total} images`),
  }).finally(line.clear);
  const { lasting, parseRecipe, suggestRecipe } = await import('@gpn/training');
  const { minutes, steps, size, channels, labels, unlabelled, network, seed, device } = options;
  const wishes = {
    ...{ size, network, seed },
    channels: channels && (Number(channels) as 1 | 3 | 4),
    labels: labels || (unlabelled ? false : undefined),
  };
  const path = relative(dirname(resolve(out)), resolve(folder)) || '.';
  const suggest = (many = steps) => suggestRecipe(survey, path, { ...wishes, steps: many });
  let text = suggest();
  let recipe = parseRecipe(text, out);
  if (minutes !== undefined) {
    const here = { ...recipe, data: { ...recipe.data, dataset: resolve(folder) } };
    const timed = await lasting(here, minutes, {
      ...{ out: join(dirname(resolve(out)), '.'), device },
      on: (event) => {
        if (event.type === 'note') printAside(`${event.text}\n`);
      },
    });
    text = suggest(timed.training.steps);
    recipe = parseRecipe(text, out);
  }
  await writeFileAtomic(out, text);
  if (options.json) {
    print(`${JSON.stringify({ path: out, recipe }, null, 2)}\n`);
    return;
  }
  const { data, model, training } = recipe;
  print(
    [
      `Wrote ${out}: ${model.network} for ${survey.parts[0]?.count} images of ${data.width} × ${data.height}, ` +
        `${data.channels === 1 ? 'grey' : data.channels === 3 ? 'colour' : 'colour with transparency'}, ` +
        `${model.classes ? `${model.classes} classes, ` : ''}${training.steps} steps.`,
      `Train it: gpn-cli train ${out}\n`,
    ].join('\n'),
  );
}
