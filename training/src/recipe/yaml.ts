/** Reads and writes recipes as YAML; errors name the line. */

import { reasonOf, UserError } from '@gpn/runtime';
import { Document, isAlias, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml';
import { dirname } from '#host';
import { checkRecipe } from './check.js';
import { dotted, type Path } from './errors.js';
import type { Recipe } from './schema.js';

/** Characters of a recipe at most; YAML's aliases can expand a small text enormously. */
const MAX_TEXT = 100_000;

const TOO_DEEP = ' has lists or groups that are nested too deeply for a ';

/** A thousand lists or groups that are opened by a bracket, or a hundred by marks on one line. */
const BRACKETS = /^(?:[^[{]*[[{]){1000}/;
const DASHES = /(?:[-?:][ \t]+){100}/;

/** The parser reports the end of the stack as an error of the text, if it happens while it composes. */
const OVERFLOW = /call stack|too much recursion/i;

/** Merge keys (`<<: *base`) let one group build on another. */
const YAML = { merge: true, prettyErrors: false, stringKeys: true } as const;

/** A value of a YAML file, and how to name a key of it: by file, line and key. */
export interface Read {
  readonly value: unknown;
  place(path: Path): string;
}

/**
 * Reads a YAML file that a person wrote.
 *
 * @param file its name, for errors
 * @param kind what it holds, for errors
 * @throws UserError naming the file and the line
 */
export function readYaml(text: string, file: string, kind: 'recipe' | 'sweep'): Read {
  const fail = (what: string): never => {
    throw new UserError(`${file}${what}.`);
  };
  const tooDeep = `${TOO_DEEP}${kind}`;
  if (text.length > MAX_TEXT) fail(` has ${text.length} characters, too many for a ${kind}`);
  // The parser takes minutes, or the whole stack, for what no recipe has.
  if (BRACKETS.test(text) || DASHES.test(text)) fail(tooDeep);
  const lines = new LineCounter();
  const document = shallow(
    () => parseDocument(text, { ...YAML, lineCounter: lines }),
    () => fail(tooDeep),
  );
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const [broken] = [...document.errors, ...document.warnings];
  if (broken && OVERFLOW.test(broken.message)) fail(tooDeep);
  if (broken?.code === 'MULTIPLE_DOCS')
    fail(
      `, line ${lineOf(broken.pos[0])}: after --- begins another document, and a ${kind} is one`,
    );
  if (broken) fail(`, line ${lineOf(broken.pos[0])}: this is not valid YAML: ${reasonOf(broken)}`);
  const own = insideItself(document);
  if (own) fail(`, line ${lineOf(own.offset)}: *${own.name} is inside of what it stands for`);
  let value: unknown;
  try {
    value = shallow(
      () => document.toJS(),
      () => fail(tooDeep),
    );
  } catch (error) {
    if (error instanceof UserError) throw error;
    fail(` is not valid YAML: ${reasonOf(error)}`); // unknown aliases, or too many
  }
  if (value === null || value === undefined)
    fail(` is empty; a ${kind} has at least a ${LEAST[kind]}`);
  return {
    value,
    place(path) {
      const line = `${file}, line ${lineOf(offsetOf(document, path))}`;
      return path.length > 0 ? `${line}: ${dotted(path)}` : `${line}: the ${kind}`;
    },
  };
}

const LEAST = { recipe: 'name', sweep: 'recipe' };

/**
 * Parses and checks a recipe.
 *
 * @param file its name, for errors
 * @param base the folder that the path of a network's file is relative to
 * @throws UserError naming the file, the line, the key and what is expected there
 */
export function parseRecipe(text: string, file: string, base = dirname(file)): Recipe {
  const { value, place } = readYaml(text, file, 'recipe');
  return checkRecipe(value, place, base);
}

/** What `read` gives; the parser goes down into lists and groups by calls, which have an end. */
function shallow<T>(read: () => T, fail: () => never): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail();
  }
}

/** An alias of a list or group that it is in, so that it would have no end. */
function insideItself(document: Document): { name: string; offset: number } | undefined {
  let found: { name: string; offset: number } | undefined;
  visit(document, {
    Alias(_, alias, ancestors) {
      const of = alias.resolve(document);
      if (!of || isAlias(of) || !ancestors.includes(of)) return undefined;
      found = { name: alias.source, offset: alias.range?.[0] ?? 0 };
      return visit.BREAK;
    },
  });
  return found;
}

/** The offset of the last key of a path, or of its nearest parent that exists. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const key = isMap(parent) ? parent.items.find((pair) => String(pair.key) === last)?.key : null;
    const node = key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/** Writes a recipe as YAML with all its keys; reading it gives the same recipe. */
export function recipeToYaml(recipe: Recipe): string {
  const document = new Document(recipe);
  visit(document, {
    Seq: (_, list) => {
      list.flow = true; // range: [ 0, 1 ]
    },
  });
  return document.toString();
}
