/** Parsers of option values. A value that they refuse is an error that commander prints. */
import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers in [min, max]. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

/** A parser of names with commas between them. */
export const list = (text: string): string[] => text.split(',');

/** A parser of `NAME=VALUE`, for an option that may be given several times: numbers by name. */
export function fixed(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name, word = ''] = /^(.+)=(.+)$/.exec(text) ?? [];
  const value = { true: 1, false: 0 }[word] ?? Number(word);
  if (name === undefined || word.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('It must be NAME=VALUE, a number, true or false.');
  return { ...before, [name]: value };
}

/** A parser for an option that may be repeated: all of its values. */
export const repeated = (text: string, before: string[] = []): string[] => [...before, text];
