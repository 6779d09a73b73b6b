/** Scorecards as rows and as Markdown. */
import type { QualityInfo } from '@gpn/runtime';
import { MEASURES, type Measure, type MeasureName } from './measures.js';
import { protocolText } from './protocol.js';
import type { Evaluation, Result } from './types.js';

/** The measures of an evaluation, in the order of a scorecard. */
export const measuresOf = ({ scores }: Evaluation): [MeasureName, Measure, Result][] =>
  (Object.keys(MEASURES) as MeasureName[]).flatMap((name) => {
    const result = scores[name];
    return result ? [[name, MEASURES[name], result] as [MeasureName, Measure, Result]] : [];
  });

/** A value with the decimals of its measure; empty if it is undefined. */
export function format(value: number | undefined, { digits }: Measure): string {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) return '∞';
  if (Math.abs(value) >= 1e5) return value.toExponential(1);
  return value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1'); // no minus sign before zero
}

const BETTER = { lower: 'lower', higher: 'higher', real: 'near real' } as const;

/** A scorecard as rows of text: a head, then a row for each measure. */
export const scorecardRows = (evaluation: Evaluation): string[][] => [
  ['measure', 'value', '95 % interval', 'real', 'noise', 'better'],
  ...measuresOf(evaluation).map(([, measure, result]) => [
    measure.title,
    format(result.value, measure),
    result.interval?.map((bound) => format(bound, measure)).join(' … ') ?? '',
    format(result.floor, measure),
    format(result.ceiling, measure),
    BETTER[measure.better],
  ]),
];

/** The values of each seed, a line for each measure; none if there is one seed. */
export function seedLines(evaluation: Evaluation): string[] {
  const { seeds } = evaluation.protocol;
  if (seeds.length < 2) return [];
  return measuresOf(evaluation).map(
    ([, measure, result]) =>
      `${measure.title}: ${result.seeds.map((value) => format(value, measure)).join(', ')}`,
  );
}

/** The values of the levels of measures that are a mean of several, a line for each measure. */
export const levelLines = (evaluation: Evaluation): string[] =>
  measuresOf(evaluation).flatMap(([, measure, { levels }]) => {
    const values = levels?.map(
      ({ size, value }) => `${format(value, measure)} at ${size.join(' × ')}`,
    );
    return values && values.length > 1 ? [`${measure.title}: ${values.join(', ')}`] : [];
  });

/** The first 12 characters of the protocol's hash, enough to distinguish protocols. */
export const shortHash = (evaluation: Evaluation): string => evaluation.protocolHash.slice(0, 12);

/** The scorecard as a Markdown table for a model card. */
export function scorecardMarkdown(evaluation: Evaluation): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...rows] = scorecardRows(evaluation);
  const seeds = seedLines(evaluation);
  return [
    row(head),
    row(head.map(() => '---')),
    ...rows.map(row),
    '',
    `Measured with ${protocolText(evaluation.protocol)}; protocol ${evaluation.protocolHash}. "real" is`,
    'what real training images reach in the place of generated ones, "noise" what random pixels do.',
    ...levelLines(evaluation).map((line) => `\n${line}.`),
    ...(seeds.length > 0 ? ['', `The value is the median of the seeds: ${seeds.join('; ')}.`] : []),
    ...evaluation.notes.map((note) => `\n${note}`),
    '',
  ].join('\n');
}

/** The scores in the form that a model file stores; values that are not finite are left out. */
export const qualityOf = (evaluation: Evaluation): QualityInfo[] =>
  measuresOf(evaluation)
    .filter(([, , { value }]) => Number.isFinite(value))
    .map(([name, , { value }]) => ({
      metric: name,
      value,
      protocol: `${evaluation.protocolHash}: ${protocolText(evaluation.protocol)}`,
    }));
