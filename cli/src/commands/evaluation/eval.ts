import { dirname, join } from 'node:path';
import { Generator, readModelInfo, readSource, UserError, withModelInfo } from '@gpn/runtime';
import { type Evaluation, type Evidence, type Extra, qualityOf } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { openEvaluation, placeFor } from '../../evaluation/open.js';
import { htmlReport } from '../../evaluation/report/report.js';
import { scorecardText } from '../../evaluation/scorecard.js';
import { checkWritable, kindOf } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { EVAL } from '../../options/evaluation/eval.js';
import { print } from '../../terminal/print.js';

type Options = OptionsOf<typeof EVAL>;

export async function run(options: Options): Promise<void> {
  const { model, report, json, write } = options;
  if (report) await checkWritable(report, 'file', '--report');
  if (write && (await kindOf(model)) !== 'file') {
    throw new UserError(`--write changes a file: give --model the path of one, not ${model}.`);
  }
  const generator = await Generator.load(model, placeFor(options));
  const evaluation = await openEvaluation(generator.info.image, options, extrasOf(options));
  try {
    const result = await evaluation.evaluate(model, generator, options.categories);
    if (report) await writeReport(report, model, generator, result);
    if (write) await writeScores(model, result.evaluation);
    print(
      json
        ? `${JSON.stringify(result.evaluation, null, 2)}\n`
        : `${scorecardText(result.evaluation)}${report ? `\nReport: ${report}\n` : ''}`,
    );
  } finally {
    await evaluation.dispose();
    await generator.dispose();
  }
}

const extrasOf = ({ trainClassifier, parzen }: Options): Extra[] => [
  ...(trainClassifier ? (['trained'] as const) : []),
  ...(parzen ? (['parzen'] as const) : []),
];

async function writeReport(
  path: string,
  model: string,
  generator: Generator,
  result: { evaluation: Evaluation; evidence: Evidence },
): Promise<void> {
  // The folder of a run contains the log of the run beside the generator.
  const log = join(dirname(model), 'metrics.jsonl');
  await writeFileAtomic(path, await htmlReport({ ...result, generator, log }));
}

/** Writes the scores into a model file. They replace scores of the same protocol only. */
async function writeScores(path: string, evaluation: Evaluation): Promise<void> {
  const { bytes } = await readSource(path);
  const info = readModelInfo(bytes, path);
  const scores = qualityOf(evaluation);
  const kept = (info.quality ?? []).filter(
    ({ protocol }) => !protocol.startsWith(evaluation.protocolHash),
  );
  await writeFileAtomic(path, withModelInfo(bytes, { ...info, quality: [...kept, ...scores] }));
}
