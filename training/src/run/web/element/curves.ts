/** The curves of a training: losses, thinned as they grow longer, and their picture. */
import { mapRecord } from '../../../records.js';
import type { Curves } from '../store.js';

/** Points of a curve at most; twice as many steps then share a point. */
const MOST = 240;

/** Gathers the losses of each step. */
export class CurveKeeper {
  #every: number;
  #points: Record<string, readonly number[]>;
  #sums: Record<string, number> = {};
  #count = 0;

  constructor({ every, points }: Curves = { every: 1, points: {} }) {
    this.#every = every;
    this.#points = { ...points };
  }

  add(metrics: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(metrics)) {
      this.#sums[name] = (this.#sums[name] ?? 0) + value;
    }
    if (++this.#count < this.#every) return;
    for (const [name, sum] of Object.entries(this.#sums)) {
      this.#points[name] = [...(this.#points[name] ?? []), sum / this.#count];
    }
    [this.#sums, this.#count] = [{}, 0];
    if (Object.values(this.#points).some(({ length }) => length >= MOST)) this.#thin();
  }

  #thin(): void {
    const pairs = (values: readonly number[]): number[] =>
      Array.from(
        { length: values.length >> 1 },
        (_, i) => ((values[2 * i] as number) + (values[2 * i + 1] as number)) / 2,
      );
    this.#points = mapRecord(this.#points, pairs);
    this.#every *= 2;
  }

  get curves(): Curves {
    return { every: this.#every, points: this.#points };
  }
}

/** Of the picture, in its own units: the browser scales it. */
const [WIDTH, HEIGHT] = [600, 120];
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Draws the curves into an SVG element, one path for each name.
 * @returns the largest loss, which is the top of the picture
 */
export function drawCurves(svg: SVGElement, { points }: Curves): number {
  // A first loss or two may be far above all others, which would lie flat below it.
  const all = Object.values(points).flatMap((values) => values.slice(values.length > 20 ? 3 : 0));
  const top = niceAbove(Math.max(1, ...all));
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  const paths = Object.entries(points).map(([name, values]) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', lineOf(values, top));
    return path;
  });
  svg.replaceChildren(...paths);
  return top;
}

const lineOf = (values: readonly number[], top: number): string =>
  values
    .map((value, i) => {
      const x = (i / Math.max(1, values.length - 1)) * WIDTH;
      const y = HEIGHT * (1 - Math.min(1, Math.max(0, value / top)));
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((times) => times * power >= value) as number);
}
