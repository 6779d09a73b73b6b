/** Parsers of option values. A value that they refuse is an error that commander prints. */
import { wholeNumber } from '@gpn/export/command';
import type { Rectangle, Sweep } from '@gpn/runtime';
import { InvalidArgumentError } from 'commander';

export { list, repeated, wholeNumber } from '@gpn/export/command';

/** A parser of numbers above 0, up to a limit. */
export const positive =
  (max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value > 0 && value <= max))
      throw new InvalidArgumentError(`It must be a number above 0, at most ${max}.`);
    return value;
  };

/** A number of images, steps or epochs: at least one. The limit only catches slips of the finger. */
export const amount = wholeNumber(1, 1_000_000_000);

/** A duration in minutes; fractions are allowed. */
export function minutes(text: string): number {
  const value = Number(text);
  if (!text.trim() || !(value > 0 && value <= 525_600))
    throw new InvalidArgumentError('It must be a number of minutes, more than 0.');
  return value;
}

/** A seed of the random generator: any whole number that a double represents exactly. */
export const seed = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** Values of codes, by the code's number, and the code that is swept, if any. */
export interface Codes {
  fixed: Record<number, number>;
  sweep?: Sweep;
}

/** A parser of `K=VALUE` and `K=FROM:TO:N`, for an option that may be given several times. */
export function codes(text: string, before: Codes = { fixed: {} }): Codes {
  const [, code, rest = ''] = /^(\d+)=(.+)$/.exec(text) ?? [];
  const numbers = rest.split(':').map((part) => (part.trim() ? Number(part) : Number.NaN));
  const [from, to, steps] = numbers as [number, number?, number?];
  const valid = code !== undefined && numbers.every(Number.isFinite);
  if (valid && numbers.length === 1) {
    return { ...before, fixed: { ...before.fixed, [code]: from } };
  }
  if (!valid || to === undefined || steps === undefined || numbers.length > 3) {
    throw new InvalidArgumentError('It must be K=VALUE or K=FROM:TO:N, such as 0=-2:2:10.');
  }
  if (before.sweep) throw new InvalidArgumentError('Only one code can be swept at a time.');
  return {
    ...before,
    sweep: { code: Number(code), from, to, steps: wholeNumber(1, 10_000)(`${steps}`) },
  };
}

/** A parser of `A:B:N`, two seeds and a number of images. */
export function walk(text: string): [number, number, number] {
  const [a, b, steps, ...rest] = text.split(':');
  if (a === undefined || b === undefined || steps === undefined || rest.length > 0)
    throw new InvalidArgumentError('It must be A:B:N, two seeds and a number of images.');
  return [seed(a), seed(b), wholeNumber(2, 100_000)(steps)];
}

/** A parser of `x,y,w,h` in pixels. */
export function rectangle(text: string): Rectangle {
  const numbers = text.split(',').map((part) => (part.trim() ? Number(part) : Number.NaN));
  const [x, y, width, height] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isFinite))
    throw new InvalidArgumentError('It must be x,y,width,height in pixels, such as 0,0,28,28.');
  return { x, y, width, height } as Rectangle;
}

/** A parser of `LOW:HIGH`. */
export function range(text: string): [number, number] {
  const [low, high, ...rest] = text.split(':').map(Number);
  if (low === undefined || high === undefined || rest.length > 0 || !(low < high))
    throw new InvalidArgumentError('It must be LOW:HIGH, such as -1:1.');
  return [low, high];
}

/** A part of a whole: `index` from 0, if it is given, of `count`. */
export interface Shard {
  readonly index?: number;
  readonly count: number;
}

/** A parser of `I/N`, the part I of N from 0, and of `N`. */
export function shard(text: string): Shard {
  const [, index, count] = /^(?:(\d{1,6})\/)?(\d{1,6})$/.exec(text.trim()) ?? [];
  const part = { ...(index && { index: Number(index) }), count: Number(count) };
  if (!(part.count > 0) || (part.index ?? 0) >= part.count)
    throw new InvalidArgumentError('It must be I/N with I from 0 to N − 1, such as 0/4.');
  return part;
}
