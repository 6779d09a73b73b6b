/** The settings of a sweep: named changes of a recipe times a grid of values. */

/** Bytes of a setting's name; those of a file have 255, and its seed and an ending follow. */
const MAX_BYTES = 200;

/** Runs of a sweep at most: more are a slip, and would take all memory. */
const MAX_RUNS = 100_000;

/** Values of a recipe's keys by their paths. */
export type Changes = Readonly<Record<string, unknown>>;

/** What a sweep changes. */
interface Variants {
  readonly runs?:
    | readonly { readonly name: string; readonly set?: Changes | undefined }[]
    | undefined;
  readonly grid?: Readonly<Record<string, readonly unknown[]>> | undefined;
  readonly seeds: number | readonly number[];
}

/** What is wrong with a value of a sweep: its path, and what it must be. */
export interface Slip {
  readonly path: (string | number)[];
  readonly message: string;
}

/** A change that another one of the same setting undoes, or more runs than there can be. */
export function slipsOf({ runs = [], grid = {}, seeds }: Variants): Slip[] {
  const cells = Object.values(grid).reduce((product, { length }) => product * length, 1);
  const count =
    Math.max(1, runs.length) * cells * (Array.isArray(seeds) ? seeds.length : Number(seeds));
  const many = {
    path: ['grid'],
    message: `of fewer values: they make ${count} runs, and ${MAX_RUNS} are the most`,
  };
  const inGrid = Object.keys(grid);
  const undone = runs.flatMap(({ name, set = {} }, k) => {
    const own = Object.keys(set);
    const inSet = lost(own).map(([key, by]) => slip(['runs', k, 'set', key], `${by} after it`));
    const both = inGrid.filter((key) => own.some((other) => covers(key, other)));
    return [
      ...inSet,
      ...both.map((key) => slip(['grid', key], `the run ${name}, which it would undo,`)),
    ];
  });
  const within = lost(inGrid).map(([key, by]) => slip(['grid', key], `${by} after it`));
  return [...undone, ...within, ...(count > MAX_RUNS ? [many] : [])];
}

const slip = (path: (string | number)[], by: string): Slip => ({
  path,
  message: `left out: ${by} sets it, too`,
});

/** Whether a value at a path replaces that at another. */
const covers = (path: string, other: string): boolean =>
  other === path || other.startsWith(`${path}.`);

/** Paths that a later one replaces, each with it. */
const lost = (paths: readonly string[]): [string, string][] =>
  paths.flatMap((path, k) => {
    const by = paths.slice(k + 1).find((later) => covers(later, path));
    return by === undefined ? [] : [[path, by] as [string, string]];
  });

/** Changes of a recipe, and their name. */
export interface Setting {
  readonly name: string;
  readonly changes: Changes;
}

/** The named changes times the grid, each with a name of its own. */
export function settingsOf({ runs, grid = {} }: Variants, base: string): Setting[] {
  const paths = Object.keys(grid);
  const cells = paths.reduce<Changes[]>(
    (cells, path) =>
      cells.flatMap((cell) => (grid[path] ?? []).map((value) => ({ ...cell, [path]: value }))),
    [{}],
  );
  const named = runs ?? [{ name: undefined, set: {} }];
  const taken = new Set<string>();
  return named.flatMap(({ name, set = {} }) =>
    cells.map((cell) => {
      const values = paths.map((path) => `${shortOf(path, paths)}=${textOfValue(cell[path])}`);
      const parts = [...(name === undefined ? [] : [name]), ...values];
      const plain = parts.length > 0 ? parts.join(',') : base;
      const unique = unlike(fileName(plain), taken);
      return { name: unique, changes: { ...set, ...cell } };
    }),
  );
}

/** The last key of a path, unless another path ends in it, too. */
function shortOf(path: string, paths: readonly string[]): string {
  const last = (of: string) => of.slice(of.lastIndexOf('.') + 1);
  return paths.filter((other) => last(other) === last(path)).length > 1 ? path : last(path);
}

const textOfValue = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** A name as one of a file: of letters, digits and some marks, and no longer than file systems allow. */
function fileName(name: string): string {
  const letters = [...name.replace(/[^\p{L}\p{N}.,=_-]+/gu, '-')].slice(0, 100);
  while (Buffer.byteLength(letters.join('')) > MAX_BYTES) letters.pop();
  return letters.join('');
}

/** The name, with a number behind it if it is taken; some file systems do not tell A from a. */
function unlike(name: string, taken: Set<string>): string {
  let unique = name;
  for (let k = 2; taken.has(unique.toLowerCase()); k++) unique = `${name}-${k}`;
  taken.add(unique.toLowerCase());
  return unique;
}
