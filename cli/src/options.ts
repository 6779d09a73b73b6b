import type { ModelInfo, Sweep } from '@gpn/runtime';
import { InvalidArgumentError, Option } from 'commander';

/** A parser of whole numbers in [min, max], for `option(flags, description, parser)`. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

/** A number of images, steps or epochs: at least one, and no more than anyone can wait for. */
export const amount = wholeNumber(1, 1_000_000_000);

/** A seed of the pinned random generator: every whole number that a double holds exactly. */
export const seed = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const deviceOption = (): Option =>
  new Option('--device <device>', 'where to compute')
    .choices(['auto', 'cpu', 'webgpu', 'cuda'])
    .default('auto');

/** The closing part of a command's help. */
export const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ gpn-cli ${line}\n`).join('')}`;

/**
 * A class of a model, by its number or its name.
 *
 * @throws UserError that names the classes, where there is none of this name
 */
export async function classOf({ name, condition }: ModelInfo, text: string): Promise<number> {
  const { UserError } = await import('@gpn/runtime');
  if (condition === undefined) {
    throw new UserError(`${name} has no classes, so it takes no labels.`);
  }
  const { classes, names = [] } = condition;
  const named = names.findIndex((known) => known.toLowerCase() === text.toLowerCase());
  const number = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : classes;
  if (number < classes) return number;
  const list = names.length > 0 ? ` (${names.join(', ')})` : '';
  throw new UserError(`${name} has no class ${text}: its classes are 0 to ${classes - 1}${list}.`);
}

/** Codes that are fixed, by number, and the one that is swept. */
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
  if (before.sweep) throw new InvalidArgumentError('One code can be swept at a time.');
  return {
    ...before,
    sweep: { code: Number(code), from, to, steps: wholeNumber(1, 10_000)(`${steps}`) },
  };
}
