/** What `eval` and `compare` share: an evaluator that shows its progress. */
import { createHash } from 'node:crypto';
import { type Generator, type ImageInfo, readSource } from '@gpn/runtime';
import { type Evaluation, type Evidence, type Extra, openEvaluator } from '@gpn/training';
import type { OptionsOf } from '../options/declare/spec.js';
import type { EVAL } from '../options/evaluation/eval.js';
import { statusLine } from '../terminal/status.js';

export type EvaluationOptions = Pick<
  OptionsOf<typeof EVAL>,
  'data' | 'classes' | 'samples' | 'seeds' | 'features' | 'featuresRange' | 'sliced' | 'threads'
>;

export interface OpenEvaluation {
  /** @param categories the discriminator of an InfoGAN */
  evaluate(
    source: string,
    generator: Generator,
    categories?: string,
  ): Promise<{ evaluation: Evaluation; evidence: Evidence }>;
  dispose(): Promise<void>;
}

/** Where and by how many threads a generator draws. */
export const placeFor = ({
  device,
  threads,
}: Pick<OptionsOf<typeof EVAL>, 'device' | 'threads'>) => ({
  device,
  ...(threads && { threads }),
});

/** Opens the evaluator of images of this size; a terminal shows its progress. */
export async function openEvaluation(
  { height, width, channels, preparation }: ImageInfo,
  { data, classes, samples, seeds, features, featuresRange, sliced, threads }: EvaluationOptions,
  extras: readonly Extra[] = [],
): Promise<OpenEvaluation> {
  const line = statusLine(process.stderr);
  const evaluator = await openEvaluator(
    data,
    { height, width, channels, ...(preparation && { preparation }) },
    {
      samples,
      seeds: Array.from({ length: seeds }, (_, seed) => seed),
      extras,
      ...(classes && { classes }),
      ...(features && { features }),
      ...(featuresRange && { featuresRange }),
      ...(sliced && { sliced }),
      ...(threads && { threads }),
      on: ({ phase, done, total }) => line.show(`${phase}: ${Math.floor((100 * done) / total)}%`),
    },
  ).finally(line.clear);
  return {
    async evaluate(source, generator, categories) {
      const { bytes } = await readSource(source);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const options = { sha256, ...(categories && { categories }) };
      return evaluator.evaluate(generator, options).finally(line.clear);
    },
    dispose: () => evaluator.dispose(),
  };
}
