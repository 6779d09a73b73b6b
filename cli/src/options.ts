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
