/** The results of evaluations as text for a terminal. */
import {
  type Evaluation,
  format,
  levelLines,
  type Measure,
  measuresOf,
  protocolText,
  scorecardRows,
  seedLines,
  shortHash,
} from '@gpn/training';
import { table } from '../terminal/table.js';

/** One evaluation: a row for each measure. */
export function scorecardText(evaluation: Evaluation): string {
  const { model, protocol, notes } = evaluation;
  const [[, ...head] = [], ...rows] = scorecardRows(evaluation);
  const seeds = seedLines(evaluation);
  return [
    `${model.name}: ${protocolText(protocol)}`,
    `protocol ${shortHash(evaluation)}`,
    '',
    table([['', ...head], ...rows], ['left', 'right', 'right', 'right', 'right', 'left']).trimEnd(),
    ...(seeds.length > 0 ? ['', `seeds ${protocol.seeds.join(', ')}:`, ...seeds] : []),
    ...levelLines(evaluation).map((line) => `\n${line}`),
    ...notes.map((note) => `\n${note}`),
    '',
  ].join('\n');
}

/**
 * Several evaluations: a row for each measure, a column for each model, and what real images reach.
 *
 * @param sources where the evaluations come from: their names if two models have the same one
 */
export function comparisonText(
  sources: readonly string[],
  evaluations: readonly Evaluation[],
): string {
  const first = evaluations[0] as Evaluation;
  const names = evaluations.map(({ model }, i) => {
    const sameName = evaluations.filter((other) => other.model.name === model.name).length > 1;
    return sameName ? (sources[i] as string) : model.name;
  });
  // Some measures exist for conditional models only.
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
  return [
    protocolText(first.protocol),
    `protocol ${shortHash(first)}`,
    '',
    table(
      [['', ...names.map((name) => `${name}  `), 'real  '], ...rows],
      ['left', ...names.map(() => 'right' as const), 'right'],
    ).trimEnd(),
    '',
    '* the best, and its 95 % interval overlaps with no other',
    '',
  ].join('\n');
}

type Result = Evaluation['scores'][keyof Evaluation['scores']];

/** Whether a value is better than all others by more than chance explains. */
function isBest(
  index: number,
  results: readonly Result[],
  better: Measure['better'],
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
