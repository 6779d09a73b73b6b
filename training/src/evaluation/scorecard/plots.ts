/** Plots of an evaluation, as SVG. */
import { svgChart } from '../chart.js';
import { momentsOf } from '../metrics/frechet.js';
import type { Rows } from '../metrics/rows.js';
import { leadingVectors } from '../metrics/symmetric.js';
import type { Evaluation, Evidence } from './types.js';

const REAL = '#64748b';
const GENERATED = '#c2410c';
const TEXT = { fontSize: 13 };

/** The share of each class in generated and in real images; undefined without classes. */
export async function classBars({ classes }: Evaluation): Promise<string | undefined> {
  if (!classes) return undefined;
  const percent = (shares: readonly number[]) => shares.map((share) => 100 * share);
  const bars = { type: 'bar' as const, animation: false };
  return svgChart(
    {
      backgroundColor: '#ffffff',
      legend: { top: 8, textStyle: TEXT },
      grid: { left: 64, right: 24, top: 44, bottom: 40 },
      xAxis: { type: 'category', data: [...classes.names], axisLabel: { ...TEXT, interval: 0 } },
      yAxis: {
        type: 'value',
        name: '% of images',
        nameLocation: 'middle',
        nameGap: 40,
        axisLabel: TEXT,
      },
      series: [
        { ...bars, name: 'real', data: percent(classes.real), color: REAL },
        { ...bars, name: 'generated', data: percent(classes.generated), color: GENERATED },
      ],
    },
    { width: 900, height: 300 },
  );
}

/** A mean over seeds, with its standard error if there are several. */
export interface Mean {
  readonly name: string;
  readonly values: readonly number[];
  readonly mean: number;
  readonly error?: number;
}

/** Means of one measure as points with bars of one standard error; the values behind them are faint. */
export function meansChart(title: string, means: readonly Mean[]): Promise<string> {
  const longest = Math.max(...means.map(({ name }) => name.length));
  const left = Math.min(420, 24 + 7.5 * longest);
  const points = { type: 'scatter' as const, animation: false };
  return svgChart(
    {
      backgroundColor: '#ffffff',
      title: { text: title, left: 'center', top: 10, textStyle: { fontSize: 16 } },
      grid: { left, right: 32, top: 44, bottom: 36 },
      xAxis: { type: 'value', scale: true, axisLabel: TEXT },
      yAxis: {
        type: 'category',
        inverse: true,
        data: means.map(({ name }) => name),
        axisLabel: { ...TEXT, interval: 0, width: left - 16, overflow: 'truncate' },
        splitLine: { show: true, lineStyle: { color: '#e5e7eb' } },
      },
      series: [
        {
          ...points,
          symbolSize: 6,
          itemStyle: { color: REAL, opacity: 0.4 },
          data: means.flatMap(({ values }, row) => values.map((value) => [value, row])),
        },
        ...means.map(({ mean, error = 0 }, row) => ({
          type: 'line' as const,
          animation: false,
          symbol: 'rect',
          symbolSize: [2, 10],
          color: GENERATED,
          lineStyle: { width: 2 },
          data: [
            [mean - error, row],
            [mean + error, row],
          ],
        })),
        {
          ...points,
          symbolSize: 9,
          itemStyle: { color: GENERATED },
          data: means.map(({ mean }, row) => [mean, row]),
        },
      ],
    },
    { width: 900, height: 100 + 34 * means.length },
  );
}

/** Points of each set in a plot; more would hide one another. */
const SHOWN = 1500;

/**
 * Real and generated images as points in the plane of the first two principal components of the real
 * features. Regions with only grey points are not covered by the generator; in regions with only
 * coloured points, generated images resemble no real ones. Undefined without features.
 */
export async function featureMap({
  reference: { features: real },
  sample: { features: generated },
}: Pick<Evidence, 'reference' | 'sample'>): Promise<string | undefined> {
  if (!real || !generated) return undefined;
  const project = plane(real);
  const axis = {
    type: 'value' as const,
    scale: true,
    axisLabel: TEXT,
    axisLine: { onZero: false },
    splitLine: { show: false },
  };
  const points = { type: 'scatter' as const, animation: false, symbolSize: 4 };
  return svgChart(
    {
      backgroundColor: '#ffffff',
      legend: { top: 8, textStyle: TEXT },
      grid: { left: 56, right: 24, top: 44, bottom: 36 },
      xAxis: axis,
      yAxis: axis,
      series: [
        { ...points, name: 'real', data: project(real), color: REAL },
        {
          ...points,
          name: 'generated',
          data: project(generated),
          color: GENERATED,
          itemStyle: { opacity: 0.6 },
        },
      ],
    },
    { width: 900, height: 520 },
  );
}

/** Returns a function that projects rows on the two directions of largest variance. */
function plane(features: Rows): (of: Rows) => [number, number][] {
  const { mean, covariance } = momentsOf(features);
  const size = mean.length;
  const axes = leadingVectors({ size, data: covariance }, 2);
  return ({ data, count }) =>
    Array.from({ length: Math.min(SHOWN, count) }, (_, k) => {
      const along = (axis?: Float64Array) => {
        let sum = 0;
        for (let i = 0; i < size; i++) {
          sum += ((data[k * size + i] as number) - (mean[i] as number)) * (axis?.[i] ?? 0);
        }
        return Math.round(1000 * sum) / 1000; // keeps the file small
      };
      return [along(axes[0]), along(axes[1])];
    });
}
