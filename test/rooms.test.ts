/**
 * The arrows inside the packages. A room is a folder directly under a package's `src`; a folder within
 * one that has a row of its own is a room, too. Files beside the rooms, such as `index.ts` and
 * `errors.ts`, belong to none of them: any room may import them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importedFiles, type Package, packages, root, sources } from './imports.js';
import { SLOW } from './slow.js';

/** Most entries of one folder, so that its listing can be taken in at a glance. */
const MOST_ENTRIES = 14;

/** Rooms in an order in which each may import all those before it. */
const inLayers = (...rooms: string[]): Record<string, string[]> =>
  Object.fromEntries(rooms.map((room, i) => [room, rooms.slice(0, i)]));

/** Per package and room, the rooms of the same package that it may import. */
const allowed: Record<Package, Record<string, string[]>> = {
  models: { layers: [], networks: ['layers'] },
  export: {
    graph: [],
    lowerings: ['graph'],
    passes: ['graph'],
    trace: ['graph', 'lowerings', 'passes'],
    convert: ['graph', 'trace'],
    command: ['convert'],
  },
  runtime: {
    format: [],
    random: [],
    session: ['format'],
    model: ['format', 'random', 'session'],
    node: ['format', 'random', 'session', 'model'],
    web: ['format', 'random', 'session', 'model'],
    elements: ['format', 'session', 'model', 'web'],
  },
  training: inLayers(
    'files',
    'data',
    'engine',
    // The keys that all recipes have; methods declare their own, and the schema takes in both.
    'recipe/keys',
    'gan',
    'steps',
    'methods',
    'recipe',
    'checkpoint',
    'export',
    'evaluation',
    'tracking',
    'run',
  ),
  cli: inLayers('terminal', 'options', 'evaluation', 'doctor', 'web', 'serve', 'bulk', 'commands'),
};

/** The room of a path such as `training/src/data/sets/mnist.ts`, or null for a file beside the rooms. */
const roomOf = (file: string): string | null => {
  const [name, , ...path] = file.split('/').slice(0, -1) as [Package, string, ...string[]];
  if (path.length === 0) return null;
  const nested = path.slice(0, 2).join('/');
  return nested in allowed[name] ? nested : (path[0] as string);
};

const offences = (name: Package): string[] =>
  sources(name).flatMap((file) => {
    const room = roomOf(file);
    if (room === null) return [];
    return importedFiles(file)
      .filter((target) => target.startsWith(`${name}/`))
      .filter((target) => {
        const other = roomOf(target);
        return other !== null && other !== room && !allowed[name][room]?.includes(other);
      })
      .map((target) => `${file} → ${target}`);
  });

/** A shortest way from `start` along imports back to it, both ends named; null if there is none. */
function circleThrough(start: string, next: (file: string) => string[]): string[] | null {
  const cameFrom = new Map<string, string>();
  for (const queue = [start]; queue.length > 0; ) {
    const file = queue.shift() as string;
    for (const target of next(file)) {
      if (target === start) {
        const circle = [file, start];
        while (circle[0] !== start) circle.unshift(cameFrom.get(circle[0] as string) as string);
        return circle;
      }
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      queue.push(target);
    }
  }
  return null;
}

const shortest = (files: string[], next: (file: string) => string[]): string[] | null =>
  files
    .flatMap((file) => {
      const circle = circleThrough(file, next);
      return circle === null ? [] : [circle];
    })
    .sort((a, b) => a.length - b.length)[0] ?? null;

const graph = new Map(packages.flatMap(sources).map((file) => [file, importedFiles(file)]));
const imported = (file: string): string[] => graph.get(file) ?? [];

test('the search for circles finds the shortest one and names it in full', () => {
  const next = (file: string) =>
    ({ a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['d'] })[file] ?? [];
  expect(shortest([...'abcde'], next)).toEqual(['d', 'e', 'd']);
  expect(circleThrough('b', next)).toEqual(['b', 'c', 'a', 'b']);
  expect(shortest(['a'], () => ['b'])).toBe(null);
});

describe.each(packages)('the package %s', (name) => {
  test('has no circle of files that import one another, types included', () => {
    expect(shortest(sources(name), imported)?.join(' → ') ?? 'no circle').toBe('no circle');
  });

  test('has rooms that import only the rooms that the table allows them', () => {
    expect(offences(name)).toEqual([]);
  });

  test('has a row in the table for each of its rooms, and no other row', () => {
    const rooms = new Set(sources(name).flatMap((file) => roomOf(file) ?? []));
    expect(Object.keys(allowed[name]).sort()).toEqual([...rooms].sort());
  });

  test(`has at most ${MOST_ENTRIES} entries in each folder of its sources`, () => {
    const folders = new Set([join(name, 'src')]);
    for (const file of sources(name)) {
      const parts = file.split('/').slice(0, -1);
      for (let depth = 2; depth <= parts.length; depth++) {
        folders.add(parts.slice(0, depth).join('/'));
      }
    }
    const full = [...folders]
      .map((folder) => ({ folder, entries: readdirSync(join(root, folder)).length }))
      .filter(({ entries }) => entries > MOST_ENTRIES)
      .map(({ folder, entries }) => `${folder} has ${entries} entries`);
    expect(full).toEqual([]);
  });
});

test('each pattern of test/slow.ts names a test file that is there', () => {
  const files = SLOW.map((pattern) => pattern.replace('/**', ''));
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every test file that mocks a module is left out of the quick tests, which share modules', () => {
  const mocking = [...packages.map((name) => `${name}/test`), 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.test.ts'))
        .map((file) => `${folder}/${file}`),
    )
    .filter((file) => /^vi\.(do)?mock\(/im.test(readFileSync(join(root, file), 'utf8')));
  expect(mocking).toContain('training/test/progress-log.test.ts');
  expect(mocking.filter((file) => !SLOW.includes(file))).toEqual([]);
});
