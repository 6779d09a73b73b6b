/** docs/reference/recipe.md, made from the schema of recipes. */
import { z } from 'zod';
import { METHODS } from '../../training/src/methods/index.js';

/** The part of a JSON Schema that is read here. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

interface Key {
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 9 });

/** The bounds of zod's whole numbers, which say nothing. */
const isUnbounded = (limit: number | undefined): boolean =>
  limit === undefined || Math.abs(limit) >= Number.MAX_SAFE_INTEGER;

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const low = exclusiveMinimum ?? minimum;
  const high = exclusiveMaximum ?? maximum;
  if (isUnbounded(low) && isUnbounded(high)) return '';
  const from = isUnbounded(low)
    ? ''
    : `${exclusiveMinimum === undefined ? '≥' : '>'} ${number(low as number)}`;
  const to = isUnbounded(high)
    ? ''
    : `${exclusiveMaximum === undefined ? '≤' : '<'} ${number(high as number)}`;
  return [from, to].filter((part) => part !== '').join(', ');
}

const withRange = (name: string, schema: Schema): string =>
  [name, range(schema)].filter((part) => part !== '').join(', ');

const NAMES: Readonly<Record<string, (schema: Schema) => string>> = {
  integer: (schema) => withRange('whole number', schema),
  number: (schema) => withRange('number', schema),
  string: ({ maxLength }) => (maxLength ? `text, ≤ ${number(maxLength)} characters` : 'text'),
  boolean: () => '`true` or `false`',
  null: () => '`null`',
  object: () => 'group of keys',
  array: ({ items, prefixItems }) =>
    prefixItems
      ? `list [${prefixItems.map(typeOf).join(', ')}]`
      : `list of ${items ? typeOf(items) : 'values'}`,
};

/** `whole number, ≥ 1, ≤ 4,096`. */
export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  return NAMES[schema.type ?? '']?.(schema) ?? 'any';
}

/** The groups within a schema: itself, or those of its alternatives. */
const groupOf = (schema: Schema): Schema | undefined =>
  schema.properties ? schema : schema.anyOf?.find(({ properties }) => properties);

/** Every key below `schema`, depth first, in the order of the schema. */
function keysOf(schema: Schema, prefix = ''): Key[] {
  const group = groupOf(schema);
  return Object.entries(group?.properties ?? {}).flatMap(([name, below]) => {
    const path = `${prefix}${name}`;
    const required = group?.required?.includes(name) ?? false;
    return [{ path, schema: below, required }, ...keysOf(below, `${path}.`)];
  });
}

/** The methods that declare a key, such as `training.loss`, or the group it is in, and how; none if all recipes have it. */
function declarationsOf(path: string): [method: string, rule: z.core.$ZodType][] {
  const [section = '', key = ''] = path.split('.');
  return Object.entries(METHODS).flatMap(([name, { keys }]) => {
    const own: Readonly<Record<string, z.core.$ZodType>> = keys[section as keyof typeof keys] ?? {};
    return own[key] ? [[name, own[key]] as [string, z.core.$ZodType]] : [];
  });
}

const methodsOf = (path: string): string[] => declarationsOf(path).map(([name]) => name);

/** Whether the methods that declare a key, itself and not its group, need it. */
const needed = (path: string): boolean =>
  path.split('.').length === 2 &&
  declarationsOf(path).some(([, rule]) => !z.safeParse(rule, undefined).success);

function presence({ path, schema, required }: Key): string {
  if (schema.default !== undefined) {
    return schema.default === '' ? 'empty' : `\`${JSON.stringify(schema.default)}\``;
  }
  return required || needed(path) ? 'required' : 'optional';
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;

/** The keys that the schema does not describe. */
export const undescribed = (schema: Schema): string[] =>
  keysOf(schema)
    .filter((key) => key.schema.description === undefined)
    .map(({ path }) => path);

/** The reference: a table for each section of a recipe. */
export function recipeDocument(schema: Schema): string {
  const all = keysOf(schema);
  const sections = Object.entries(schema.properties ?? {});
  const top = sections.filter(([, section]) => !groupOf(section)).map(([name]) => name);
  const table = (keys: readonly Key[]): string[] => [
    row('key', 'type and range', 'default', 'meaning'),
    row('---', '---', '---', '---'),
    ...keys.map((key) => {
      const methods = methodsOf(key.path);
      const only = methods.length > 0 ? `*Only with the method ${methods.join(' or ')}.*` : '';
      const text = `${key.schema.description ?? ''} ${only}`;
      return row(`\`${key.path}\``, typeOf(key.schema), presence(key), text);
    }),
  ];
  return [
    '# Every key of a recipe',
    '',
    'A recipe is a YAML file. [Write your own recipe](../guides/your-own-recipe.md) shows how to make',
    'one. A key that is not listed here is an error that names its line. Keys marked *required* inside',
    'an optional group are required if that group is given, and those of a method with that method. The',
    'methods are',
    `${Object.keys(METHODS)
      .map((name) => `\`${name}\``)
      .join(', ')}.`,
    '',
    '`npm run docs:recipe` writes this file from the schema.',
    '',
    '## The recipe itself',
    '',
    ...table(all.filter(({ path }) => top.includes(path))),
    ...sections
      .filter(([, section]) => groupOf(section))
      .flatMap(([name]) => [
        '',
        `## ${name}`,
        '',
        ...table(all.filter(({ path }) => path.startsWith(`${name}.`))),
      ]),
    '',
  ].join('\n');
}
