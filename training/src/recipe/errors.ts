/** Turns the issues of a recipe's schema into sentences. */
import type { Pair } from '@gpn/models';
import * as z from 'zod';
import { closestName } from './closest-name.js';
import type { Recipe } from './schema.js';

/** The keys and indices that lead to a value: `['training', 'seed']`. */
export type Path = readonly PropertyKey[];

/** What is wrong: the rest of the sentence "KEY must be …", and the value that was found. */
export interface Objection {
  readonly path: Path;
  readonly must: string;
  readonly found?: unknown;
}
/** A check of a whole recipe; its networks are built when they are asked for. */
export type Check = (recipe: Recipe, pair: () => Pair) => Objection | false | undefined;

/** A path as text: `training.seed`, `data.classes[0]`. */
export const dotted = (path: Path): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');

const TYPES: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'a group of keys',
  record: 'a group of keys',
  array: 'a list',
};

const either = (values: readonly unknown[]) =>
  values
    .map(String)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');

const UNITS: Record<string, string> = { string: 'character', array: 'item' };

/** A limit as text: `4096`, or `1 item long` for a list. */
function bound(limit: unknown, origin: string): string {
  const unit = UNITS[origin];
  return unit === undefined ? String(limit) : `${limit} ${unit}${limit === 1 ? '' : 's'} long`;
}

/** The rest of the sentence "KEY must be …"; undefined to use the schema's own text. */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return either(issue.values);
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${bound(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${bound(issue.maximum, issue.origin)}`;
    case 'invalid_key':
      return 'the path of a key, such as training.r1';
    default:
      return undefined; // the schema's own texts
  }
}

/**
 * One sentence about the most helpful issue.
 * @param place names a key as the user gave it
 */
export function recipeProblem(
  issues: readonly z.core.$ZodIssue[],
  place: (path: Path) => string,
  schema: z.ZodType,
): string {
  // A misspelt key is also a missing one. The misspelt key is easier to find and correct.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown) {
    const [key = ''] = unknown.keys;
    const hint = knownKeys(schema, unknown.path, key);
    return `${place([...unknown.path, key])} is not a known key; ${hint}`;
  }
  const { path = [], input, message } = issues[0] ?? {};
  if (input === undefined) return `${place(path)} is missing; it must be ${message}.`;
  return `${place(path)} must be ${message}${found(input)}.`;
}

function found(input: unknown): string {
  if (input === null) return ', found nothing';
  if (Array.isArray(input)) return `, found [${input.join(', ').slice(0, 40)}]`;
  if (typeof input === 'object') return '';
  return `, found ${typeof input === 'string' ? JSON.stringify(input.slice(0, 40)) : String(input)}`;
}

/** The part of a JSON Schema that is used here. */
interface Keys {
  properties?: Record<string, Keys>;
  additionalProperties?: Keys | boolean;
  items?: Keys;
  anyOf?: Keys[];
  oneOf?: Keys[];
}

/** Suggests a similar key of the same group or elsewhere; otherwise lists the keys of the group. */
function knownKeys(schema: z.ZodType, path: Path, key: string): string {
  const whole = z.toJSONSchema(schema, { io: 'input' }) as Keys;
  const here = path.reduce<Keys[]>(
    (groups, step) => groups.flatMap((of) => within(of, step)),
    [whole],
  );
  const names = [...new Set(here.flatMap(optionsOf).flatMap(namesOf))];
  const near = closestName(key, names);
  if (near !== undefined) return `did you mean ${near}?`;
  const all = keyPaths(whole);
  const elsewhere = closestName(
    key,
    all.map((known) => String(known.at(-1))),
  );
  const there = all.find((known) => known.at(-1) === elsewhere);
  return there ? `did you mean ${dotted(there)}?` : `known here: ${names.join(', ')}.`;
}

/** A schema, or the alternatives that it consists of. */
function optionsOf(schema: Keys): Keys[] {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return options.length > 0 ? options.flatMap(optionsOf) : [schema];
}

const namesOf = ({ properties = {} }: Keys): string[] => Object.keys(properties);

/** What a key, or an index of a list, leads to. */
const within = (schema: Keys, step: PropertyKey): Keys[] =>
  optionsOf(schema).flatMap(({ properties, additionalProperties, items }) => {
    if (typeof step === 'number') return items ?? [];
    const any = typeof additionalProperties === 'object' ? additionalProperties : [];
    return properties?.[String(step)] ?? any;
  });

function keyPaths(schema: Keys, path: Path = []): Path[] {
  return optionsOf(schema).flatMap((option) =>
    Object.entries(option.properties ?? {}).flatMap(([key, value]) => {
      const known = [...path, key];
      return [known, ...keyPaths(value, known)];
    }),
  );
}
