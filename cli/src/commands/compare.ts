import type { Evaluation } from '@gpn/training';
import type { Command } from 'commander';
import type { EvaluationOptions, OpenEvaluation } from '../evaluation.js';
import { examples } from '../options.js';
import { withEvaluationOptions } from './eval.js';

interface Options extends Omit<EvaluationOptions, 'data'> {
  data?: string;
  json?: boolean;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
}

export function addCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('set generators side by side, measured by one protocol')
    .argument('<models|results...>', 'models, or results of gpn-cli eval --json, two or more')
    .option('--data <name|folder>', 'of models: what they should draw');
  withEvaluationOptions(command)
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      examples(
        'compare first.json second.json',
        'compare dcgan-mnist runs/mine/generator.onnx --data mnist',
      ),
    )
    .action(compare);
}

const isResult = (source: string): boolean => /\.json$/i.test(source);

async function compare(sources: string[], options: Options): Promise<void> {
  const { UserError } = await import('@gpn/runtime');
  if (sources.length < 2) throw new UserError('Give two models or results or more to compare.');
  const { checkComparable } = await import('@gpn/training');
  const results = new Map<string, Evaluation>();
  // What is at hand is checked before anything is measured.
  for (const source of sources.filter(isResult)) results.set(source, await readResult(source));
  checkComparable([...results.values()]);
  const models = sources.filter((source) => !isResult(source));
  if (models.length > 0) await evaluateAll(models, options, results);
  const evaluations = sources.map((source) => results.get(source) as Evaluation);
  checkComparable(evaluations);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(evaluations, null, 2)}\n`
      : await sideBySide(sources, evaluations),
  );
}

async function readResult(path: string): Promise<Evaluation> {
  const { readFile } = await import('node:fs/promises');
  const { parseEvaluation } = await import('@gpn/training');
  const { fileError } = await import('@gpn/training/atomic');
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
  const { Generator, UserError } = await import('@gpn/runtime');
  if (data === undefined) {
    throw new UserError(`Give --data to measure ${models[0]} with: mnist, fashion, or a folder.`);
  }
  const { openEvaluation } = await import('../evaluation.js');
  let open: { size: string; evaluation: OpenEvaluation } | undefined;
  try {
    for (const model of models) {
      const generator = await Generator.load(model, { device: options.device });
      const { height, width, channels } = generator.info.image;
      const size = `${height}×${width}×${channels}`;
      if (open && open.size !== size) {
        throw new UserError(
          `${model} draws images of ${size}, ${models[0]} of ${open.size}: no protocol fits both.`,
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

/** A row for each measure, a column for each model, and what real images reach. */
async function sideBySide(
  sources: readonly string[],
  evaluations: readonly Evaluation[],
): Promise<string> {
  const { format, measuresOf, protocolText, shortHash } = await import('@gpn/training');
  const first = evaluations[0] as Evaluation;
  const names = evaluations.map(({ model }, i) => {
    const alike = evaluations.filter((other) => other.model.name === model.name).length > 1;
    return alike ? (sources[i] as string) : model.name;
  });
  // Some measures are of conditional models alone.
  const known = new Map(evaluations.flatMap(measuresOf).map(([name, measure]) => [name, measure]));
  const rows = [...known].map(([name, measure]) => {
    const results = evaluations.map(({ scores }) => scores[name]);
    const floor = results.find((result) => result)?.floor;
    return [
      measure.title,
      ...results.map((result, i) => {
        const mark = isBest(i, results, measure.better, floor) ? ' *' : '  ';
        return `${format(result?.value, measure)}${mark}`;
      }),
      `${format(floor, measure)}  `,
    ];
  });
  const table = [['', ...names.map((name) => `${name}  `), 'real  '], ...rows];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths?.[i] ?? 0) : cell.padStart(widths?.[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [
    protocolText(first.protocol),
    `protocol ${shortHash(first)}`,
    '',
    ...lines,
    '',
    '* the best, and its 95 % interval overlaps no other’s',
    '',
  ].join('\n');
}

type Result = Evaluation['scores'][keyof Evaluation['scores']];

/** Whether a value is better than all others, beyond what chance explains. */
function isBest(
  index: number,
  results: readonly Result[],
  better: 'lower' | 'higher' | 'real',
  floor = 0,
): boolean {
  const own = results[index];
  if (!own?.interval) return false;
  const cost = (value: number) =>
    ({ lower: value, higher: -value, real: Math.abs(value - floor) })[better];
  return results.every((other, i) => {
    if (i === index || !other?.interval || !own.interval) return i === index;
    const apart = own.interval[1] < other.interval[0] || own.interval[0] > other.interval[1];
    return apart && cost(own.value) < cost(other.value);
  });
}
