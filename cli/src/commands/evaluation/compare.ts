import { readFile } from 'node:fs/promises';
import { Generator, UserError } from '@gpn/runtime';
import { checkComparable, type Evaluation, parseEvaluation } from '@gpn/training';
import { fileError } from '@gpn/training/atomic';
import { type OpenEvaluation, openEvaluation, placeFor } from '../../evaluation/open.js';
import { comparisonText } from '../../evaluation/scorecard.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { COMPARE } from '../../options/evaluation/eval.js';
import { print } from '../../terminal/print.js';

type Options = OptionsOf<typeof COMPARE>;

const isResult = (source: string): boolean => /\.json$/i.test(source);

export async function run(sources: string[], options: Options): Promise<void> {
  if (sources.length < 2) throw new UserError('Give two or more models or results to compare.');
  const results = new Map<string, Evaluation>();
  // Existing results are checked before anything is measured.
  for (const source of sources.filter(isResult)) results.set(source, await readResult(source));
  checkComparable([...results.values()]);
  const models = sources.filter((source) => !isResult(source));
  if (models.length > 0) await evaluateAll(models, options, results);
  const evaluations = sources.map((source) => results.get(source) as Evaluation);
  checkComparable(evaluations);
  print(
    options.json
      ? `${JSON.stringify(evaluations, null, 2)}\n`
      : comparisonText(sources, evaluations),
  );
}

async function readResult(path: string): Promise<Evaluation> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  return parseEvaluation(text, path);
}

async function evaluateAll(
  models: readonly string[],
  { data, ...options }: Options,
  results: Map<string, Evaluation>,
): Promise<void> {
  if (data === undefined) {
    throw new UserError(`Give --data to measure ${models[0]} with: mnist, fashion, or a folder.`);
  }
  let open: { size: string; evaluation: OpenEvaluation } | undefined;
  try {
    for (const model of models) {
      const generator = await Generator.load(model, placeFor(options));
      const { height, width, channels } = generator.info.image;
      const size = `${height}×${width}×${channels}`;
      if (open && open.size !== size) {
        throw new UserError(
          `${model} draws images of ${size}, ${models[0]} of ${open.size}: they cannot be measured in the same way.`,
        );
      }
      open ??= {
        size,
        evaluation: await openEvaluation(generator.info.image, { data, ...options }),
      };
      const { evaluation } = await open.evaluation.evaluate(model, generator);
      await generator.dispose();
      results.set(model, evaluation);
    }
  } finally {
    await open?.evaluation.dispose();
  }
}
