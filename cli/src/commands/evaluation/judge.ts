import { UserError } from '@gpn/runtime';
import {
  type FolderJudge,
  type FolderJudgeOptions,
  type JudgeProgress,
  judgeFolder,
  preparationOf,
  resolveRecipe,
  SUGGESTED_DATA,
} from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { checkWritable, kindOf } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { JUDGE } from '../../options/evaluation/judge.js';
import { print } from '../../terminal/print.js';
import { createProgress } from '../../terminal/progress.js';

type Options = OptionsOf<typeof JUDGE>;

export async function run(source: string, options: Options): Promise<void> {
  const { output, json } = options;
  await checkWritable(output, 'file', '--output');
  const { spec, ...data } = await dataOf(source, options);
  const progress = createProgress(process.stderr);
  const on = stepsOf(output, progress.on);
  try {
    const { seed, steps, device, threads } = options;
    const judge = await judgeFolder(spec, {
      ...data,
      ...{ seed, steps, device, threads, on },
      onNote: (note) => progress.on({ type: 'note', text: note }),
      onImage: (done, total) => progress.on({ type: 'data', done, total }),
    });
    progress.stop();
    await writeFileAtomic(output, judge.bytes);
    const { bytes, info, ...figures } = judge;
    print(
      json
        ? `${JSON.stringify({ output, classes: info.classifier?.names, ...figures })}\n`
        : summary(output, judge),
    );
  } finally {
    progress.stop();
  }
}

/** The data set, and how its pictures become images: as the recipe says, or the options. */
async function dataOf(
  source: string,
  { size, channels, flip }: Options,
): Promise<FolderJudgeOptions & { spec: string }> {
  if (!/\.ya?ml$/i.test(source)) {
    const kind = await kindOf(source);
    if (kind === 'file') {
      throw new UserError(`${source} is a file: give a folder of pictures, or a recipe (.yml).`);
    }
    return {
      ...{ spec: source, height: size, width: size, channels: Number(channels), flip },
      ...(kind === 'folder' && { preparation: preparationOf(SUGGESTED_DATA) }),
    };
  }
  const { data } = resolveRecipe(source);
  const { dataset, height, width, classes, skip_unreadable: skipUnreadable } = data;
  return {
    spec: dataset,
    ...{ height, width, channels: data.channels, skipUnreadable },
    preparation: preparationOf(data),
    flip: flip ?? data.flip,
    ...(classes && { classes }),
  };
}

/** The progress of a judge's training as that of any training. */
function stepsOf(out: string, tell: ReturnType<typeof createProgress>['on']) {
  let begun = performance.now();
  return ({ step, steps, images, batchSize, loss }: JudgeProgress): void => {
    const epochs = (steps * batchSize) / images;
    if (loss === undefined) {
      begun = performance.now();
      const phase = { phase: 'judge', device: 'cpu', reason: '' };
      tell({ type: 'start', ...phase, step, steps, epochs, images, out });
      return;
    }
    const imagesPerSecond = (step * batchSize * 1000) / (performance.now() - begun);
    const epoch = Math.floor((step * batchSize) / images);
    tell({ type: 'step', step, steps, epoch, imagesPerSecond, losses: { loss } });
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function summary(output: string, { accuracy, guessed, trained, heldOut, info }: FolderJudge) {
  const better = accuracy > guessed + (1 - guessed) / 10;
  return [
    `Wrote ${info.name} to ${output}: ${info.classifier?.classes} classes, learnt from ${trained.toLocaleString('en')} pictures.`,
    `Accuracy ${percent(accuracy)} on ${heldOut.toLocaleString('en')} pictures that it had not seen; naming the most frequent class alone is right for ${percent(guessed)}.`,
    better
      ? `Measure with it: gpn-cli eval --model generator.onnx --data FOLDER --features ${output}\n`
      : 'It is hardly better than a guess, so its features say little: give it more pictures, more --steps, or classes that can be told apart by eye.\n',
  ].join('\n');
}
