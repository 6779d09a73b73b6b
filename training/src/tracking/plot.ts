/** Plots of a run's metrics. */
import { svgChart } from '../evaluation/chart.js';
import { type MetricsRow, readMetricsLog } from '../files/metrics-log.js';

/** What to plot. */
export interface CurvesOptions {
  title: string;
  /** Names of the metrics; the two losses by default. */
  measures?: readonly string[];
}

type Point = [step: number, value: number];

/** More points than this cannot be distinguished at the plot's width. */
const MAX_POINTS = 400;
const COLOURS = ['#c2410c', '#1d4ed8', '#15803d', '#7e22ce'];

/**
 * Plots losses against steps as an SVG of 900 × 500: each metric as a thin line, and smoothed as a
 * thick one. Values that are not finite are left out.
 */
export async function lossCurves(
  rows: readonly MetricsRow[],
  { title, measures = ['discriminator', 'generator'] }: CurvesOptions,
): Promise<string> {
  const style = { type: 'line' as const, showSymbol: false, animation: false };
  const series = measures.flatMap((name, index) => {
    const points = thin(finitePoints(rows, name), MAX_POINTS);
    const color = COLOURS[index % COLOURS.length];
    const faint = { color, width: 1, opacity: 0.25 };
    return [
      { ...style, data: points, lineStyle: faint },
      { ...style, name, data: smooth(points, Math.ceil(points.length / 50)), color },
    ];
  });
  return svgChart({
    ...surroundings(title, measures),
    yAxis: { type: 'value', scale: true, ...axis('loss', 48) },
    series,
  });
}

const DISTANCES = [
  { name: 'Fréchet distance', measure: 'frechet' },
  { name: 'sliced Wasserstein distance × 1000', measure: 'sliced' },
] as const;

/**
 * Plots evaluations against steps as an SVG of 900 × 500: the Fréchet distance, or that of patches, on a
 * logarithmic axis to the left, because it falls by orders of magnitude, and recall to the right, if it
 * is measured.
 */
export async function evaluationCurves(
  rows: readonly MetricsRow[],
  { title }: Pick<CurvesOptions, 'title'>,
): Promise<string> {
  const measured = (name: string) => finitePoints(rows, name).length > 0;
  const distance = DISTANCES.find(({ measure }) => measured(measure)) ?? DISTANCES[0];
  const curves = [
    { ...distance, color: COLOURS[0] },
    ...(measured('recall') ? [{ name: 'recall', measure: 'recall', color: COLOURS[1] }] : []),
  ];
  return svgChart({
    ...surroundings(
      title,
      curves.map(({ name }) => name),
    ),
    yAxis: [
      { type: 'log', ...axis(distance.name, 48) },
      {
        ...{ type: 'value' as const, show: measured('recall'), min: 0, max: 1 },
        ...axis('recall', 40),
        splitLine: { show: false },
      },
    ],
    series: curves.map(({ name, measure, color }, yAxisIndex) => ({
      type: 'line' as const,
      animation: false,
      name,
      color,
      yAxisIndex,
      // A logarithmic axis has no zero, and no generator reaches it.
      data: finitePoints(rows, measure).filter(([, x]) => x > 0 || yAxisIndex > 0),
    })),
  });
}

const surroundings = (title: string, curves: readonly string[]) => ({
  backgroundColor: '#ffffff',
  title: { text: title, left: 'center', top: 12, textStyle: { fontSize: 18 } },
  legend: {
    data: [...curves],
    icon: 'rect',
    itemHeight: 3,
    top: 42,
    textStyle: { fontSize: 14 },
  },
  grid: { left: 72, right: 64, top: 84, bottom: 60 },
  xAxis: { type: 'value' as const, max: 'dataMax', ...axis('step', 32) },
});

const axis = (name: string, nameGap: number) => ({
  name,
  nameGap,
  nameLocation: 'middle' as const,
  nameTextStyle: { fontSize: 14 },
  axisLabel: { fontSize: 13, hideOverlap: true },
  splitLine: { lineStyle: { color: '#e5e7eb' } },
});

const finitePoints = (rows: readonly MetricsRow[], name: string): Point[] =>
  rows
    .map((row): Point => [row.step, row[name] ?? Number.NaN])
    .filter(([, value]) => Number.isFinite(value));

/** Reduces points to at most `limit`, each the mean of a group of neighbours. */
export function thin(points: readonly Point[], limit: number): Point[] {
  const size = Math.ceil(points.length / limit);
  return Array.from({ length: size ? Math.ceil(points.length / size) : 0 }, (_, i) =>
    mean(points.slice(i * size, (i + 1) * size)),
  );
}

/** Replaces each value by the mean over it and `radius` neighbours on either side. */
export function smooth(points: readonly Point[], radius: number): Point[] {
  return points.map(([step], i) => {
    // Near an end, use fewer neighbours on both sides; otherwise the curve would be biased there.
    const reach = Math.min(radius, i, points.length - 1 - i);
    return [step, mean(points.slice(i - reach, i + reach + 1))[1]];
  });
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce(([a, b], [step, value]): Point => [a + step, b + value], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/**
 * Plots the losses of a run as an SVG.
 * @param log the path of its metrics.jsonl
 * @returns undefined if the log cannot be read or has fewer than two rows
 */
export async function runCurves(log: string): Promise<string | undefined> {
  const rows = await readMetricsLog(log).catch(() => []);
  const measures = ['discriminator', 'generator'].filter((name) => rows.some((row) => name in row));
  return rows.length > 1 && measures.length > 0
    ? lossCurves(rows, { title: '', measures })
    : undefined;
}
