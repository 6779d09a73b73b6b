/** Charts of a detector's scores, as SVG. */
import { svgChart } from '../chart.js';
import type { Curve } from './ranking.js';

const [NORMAL, ANOMALOUS] = ['#64748b', '#c2410c'];
const TEXT = { fontSize: 13 };
const BARS = 30;

/** How many pictures are how suspicious, those of each group in a colour of its own. */
export function suspicionBars(
  groups: readonly { name: string; values: readonly number[] }[],
): Promise<string> {
  const all = groups.flatMap(({ values }) => values);
  const [low, high] = all.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const step = (high - low) / BARS || 1;
  const counts = (values: readonly number[]): number[] => {
    const bars = Array<number>(BARS).fill(0);
    for (const value of values) {
      const bar = Math.min(BARS - 1, Math.floor((value - low) / step));
      bars[bar] = (bars[bar] as number) + 1;
    }
    return bars;
  };
  const axis = (name: string) => ({ name, nameLocation: 'middle', nameGap: 40, axisLabel: TEXT });
  return svgChart(
    {
      backgroundColor: '#ffffff',
      legend: { top: 8, textStyle: TEXT },
      grid: { left: 64, right: 24, top: 44, bottom: 56 },
      xAxis: {
        type: 'category',
        data: Array.from({ length: BARS }, (_, k) => (low + (k + 0.5) * step).toPrecision(3)),
        ...axis('suspicion of the most suspicious pixel'),
      },
      yAxis: { type: 'value', minInterval: 1, ...axis('pictures') },
      series: groups.map(({ name, values }, k) => ({
        ...{ type: 'bar' as const, animation: false, name, stack: 'all', barCategoryGap: '5%' },
        ...{ data: counts(values), color: k === 0 ? NORMAL : ANOMALOUS },
      })),
    },
    { width: 900, height: 320 },
  );
}

/** The receiver operating characteristics, one line for each. */
export function rocLines(
  curves: readonly { name: string; curve: Pick<Curve, 'falsePositives' | 'truePositives'> }[],
): Promise<string> {
  const axis = (name: string) => ({
    ...{ type: 'value' as const, min: 0, max: 1, name, nameLocation: 'middle', nameGap: 36 },
    axisLabel: TEXT,
  });
  return svgChart(
    {
      backgroundColor: '#ffffff',
      legend: { top: 8, textStyle: TEXT },
      grid: { left: 64, right: 24, top: 44, bottom: 56 },
      xAxis: axis('share of what is normal that is found'),
      yAxis: axis('share of what is anomalous that is found'),
      series: curves.map(({ name, curve }, k) => ({
        ...{ type: 'line' as const, animation: false, name, symbol: 'none' },
        ...{ color: k === 0 ? ANOMALOUS : NORMAL, data: points(curve) },
      })),
    },
    { width: 480, height: 440 },
  );
}

/** Points of a line that are drawn of a curve of any length. */
const DRAWN = 500;

const points = ({
  falsePositives,
  truePositives,
}: Pick<Curve, 'falsePositives' | 'truePositives'>) => {
  const last = falsePositives.length - 1;
  const step = Math.max(1, last / DRAWN);
  const places = Array.from({ length: Math.floor(last / step) + 1 }, (_, k) =>
    Math.round(k * step),
  );
  return [...new Set([...places, last])].map((k) => [falsePositives[k], truePositives[k]]);
};
