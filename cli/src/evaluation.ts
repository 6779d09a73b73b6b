/** What `eval` and `compare` share: an evaluator that shows how far it is. */
import { createHash } from 'node:crypto';
import { type Generator, type ImageInfo, readSource } from '@gpn/runtime';
import { type Evaluation, type Evidence, type Extra, openEvaluator } from '@gpn/training';

export interface EvaluationOptions {
  data: string;
  classes?: string[];
  samples: number;
  seeds: number;
  features?: string;
  featuresRange?: [number, number];
}

export interface OpenEvaluation {
  /** @param categories the discriminator of an InfoGAN */
  evaluate(
    source: string,
    generator: Generator,
    categories?: string,
  ): Promise<{ evaluation: Evaluation; evidence: Evidence }>;
  dispose(): Promise<void>;
}

/** Opens the evaluator of images of this size; on a terminal it says what it does. */
export async function openEvaluation(
  { height, width, channels }: ImageInfo,
  { data, classes, samples, seeds, features, featuresRange }: EvaluationOptions,
  extras: readonly Extra[] = [],
): Promise<OpenEvaluation> {
  const line = statusLine(process.stderr);
  const evaluator = await openEvaluator(
    data,
    { height, width, channels },
    {
      samples,
      seeds: Array.from({ length: seeds }, (_, seed) => seed),
      extras,
      ...(classes && { classes }),
      ...(features && { features }),
      ...(featuresRange && { featuresRange }),
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

/** One line that is written over; nothing where the output is no terminal. */
function statusLine(stream: NodeJS.WriteStream) {
  const write = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[2K${text}`);
  };
  return { show: write, clear: () => write('') };
}
