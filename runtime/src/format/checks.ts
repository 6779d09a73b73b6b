/** Checks of untrusted values: each returns the value with its type, or throws a {@link Mismatch}. */

/** A value is not valid; the message says which one and what it should be. */
export class Mismatch extends Error {}

/** Checks a value; `at` is its path in the whole, for the message. */
export type Check<T> = (value: unknown, at: string) => T;

const shown = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
};

const must = <T>(condition: boolean, value: unknown, at: string, what: string): T => {
  if (!condition) throw new Mismatch(`${at} should be ${what}, but is ${shown(value)}`);
  return value as T;
};

/** A whole number from `min` to `max`. */
export const whole =
  (min: number, max: number): Check<number> =>
  (value, at) =>
    must(
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
      value,
      at,
      `a whole number from ${min} to ${max}`,
    );

/** A finite number. */
export const real: Check<number> = (value, at) =>
  must(Number.isFinite(value), value, at, 'a number');

/** A finite number above 0. */
export const positive: Check<number> = (value, at) =>
  must(Number.isFinite(value) && (value as number) > 0, value, at, 'a positive number');

/** A finite number from 0. */
export const nonNegative: Check<number> = (value, at) =>
  must(Number.isFinite(value) && (value as number) >= 0, value, at, 'a number from 0');

/** A text of 1 to `max` characters. */
export const text =
  (max = 1000): Check<string> =>
  (value, at) =>
    must(
      typeof value === 'string' && value.length > 0 && value.length <= max,
      value,
      at,
      `a text of 1 to ${max} characters`,
    );

/** One of these values. */
export const oneOf =
  <T extends string | number>(...values: T[]): Check<T> =>
  (value, at) =>
    must(values.includes(value as T), value, at, values.map(shown).join(' or '));

/** A list of at most `max` items, each of which passes `item`. */
export const list =
  <T>(item: Check<T>, max: number): Check<T[]> =>
  (value, at) => {
    must(Array.isArray(value) && value.length <= max, value, at, `a list of at most ${max}`);
    return (value as unknown[]).map((entry, i) => item(entry, `${at}[${i}]`));
  };

/** A list of three items. */
export const triple =
  <T>(item: Check<T>): Check<[T, T, T]> =>
  (value, at) => {
    const items = list(item, 3)(value, at);
    return must(items.length === 3, items, at, 'a list of 3');
  };

/** [low, high] with low < high. */
export const interval: Check<[number, number]> = (value, at) => {
  const [low, high] = list(real, 2)(value, at);
  must(low !== undefined && high !== undefined && low < high, value, at, '[low, high], low < high');
  return [low as number, high as number];
};

/** A value that passes `check`, or undefined. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, at) =>
    value === undefined ? undefined : check(value, at);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object of at most `max` keys, whose values pass `item`. */
export const record =
  <T>(item: Check<T>, max: number): Check<Record<string, T>> =>
  (value, at) => {
    must(
      isObject(value) && Object.keys(value).length <= max,
      value,
      at,
      `an object, at most ${max} keys`,
    );
    const items = Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(items.map(([key, entry]) => [key, item(entry, `${at}.${key}`)]));
  };

/** An object with these fields; others, perhaps of a later version, are left out. */
export const object =
  <T>(checks: { [K in keyof T]-?: Check<T[K]> }): Check<T> =>
  (value, at) => {
    must(isObject(value), value, at, 'an object');
    const result: Partial<T> = {};
    for (const key of Object.keys(checks) as (keyof T & string)[]) {
      const own = Object.hasOwn(value as object, key);
      const field = own ? (value as Record<string, unknown>)[key] : undefined;
      const checked = checks[key](field, at === '' ? key : `${at}.${key}`);
      if (checked !== undefined) result[key] = checked;
    }
    return result as T;
  };
