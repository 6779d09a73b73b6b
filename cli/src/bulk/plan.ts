/**
 * What bulk work does, as files in the folder of its results: `plan.json` has the settings, and
 * `pictures.ndjson` the paths of what is scored. A shard is computed from the folder and its number alone,
 * by any process that sees them, and always to the same bytes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Rectangle, readModelInfo, readSource, sha256, UserError } from '@gpn/runtime';
import { ensureWritableFolder, writeFileAtomic } from '@gpn/training/atomic';

/** A model as a plan names it. */
export interface PlannedModel {
  /** A path, a URL, or the name of a bundled model. */
  readonly source: string;
  /** The SHA-256 of the file: no other file takes its place. */
  readonly sha256: string;
}

interface Common {
  readonly version: 1;
  readonly model: PlannedModel;
  /** Pictures, or images, in all. */
  readonly items: number;
  /** Of these in each shard; the last one has what is left. */
  readonly shardSize: number;
  readonly device: 'cpu' | 'wasm' | 'webgpu' | 'cuda';
}

/** Pictures are scored. */
export interface ScorePlan extends Common {
  readonly kind: 'score';
  /** The SHA-256 of `pictures.ndjson`. */
  readonly pictures: string;
  /** A row for each fragment rather than for each picture. */
  readonly fragments?: true;
  readonly rect?: Rectangle;
  readonly stride?: number;
  readonly label?: number;
  readonly threshold?: number;
}

/** Images are drawn. */
export interface SamplePlan extends Common {
  readonly kind: 'sample';
  readonly seed: number;
  /** The class of all images; without it, image k has class k mod classes. */
  readonly label?: number;
}

export type Plan = ScorePlan | SamplePlan;

/** What two plans may differ in, in words. */
const NAMES: Readonly<Record<string, string>> = {
  version: 'version of gpn-cli',
  kind: 'command',
  model: 'model',
  items: 'number of pictures',
  pictures: 'list of pictures',
  shardSize: 'size of shards (--shard-size)',
};

/** The first thing that differs between two plans, in words; undefined if nothing does. */
export function difference(a: Plan, b: Plan): string | undefined {
  const values = (plan: Plan) => new Map(Object.entries(plan));
  const [of, other] = [values(a), values(b)];
  const isOther = (key: string) => {
    const [x, y] = [of.get(key), other.get(key)];
    // Where a model lies may differ, but not what it is.
    return key === 'model'
      ? a.model.sha256 !== b.model.sha256
      : JSON.stringify(x) !== JSON.stringify(y);
  };
  const key = [...new Set([...Object.keys(NAMES), ...of.keys(), ...other.keys()])].find(isOther);
  return key && (NAMES[key] ?? `--${key}`);
}

/** Reads what a plan says of a model. @throws UserError if there is no such model, or it is of another kind */
export async function plannedModel(source: string, kinds: readonly string[]) {
  const { bytes, label } = await readSource(source);
  const info = readModelInfo(bytes, label);
  if (!kinds.includes(info.kind)) {
    throw new UserError(`${label} is a ${info.kind}, but a ${kinds[0]} is needed here.`);
  }
  return { info, model: { source, sha256: await sha256(bytes) } };
}

/** How many shards a plan has. */
export const shardCount = ({ items, shardSize }: Plan): number => Math.ceil(items / shardSize);

/** The numbers of the first item of a shard, and of the first one after it. */
export const itemsOf = (
  { items, shardSize }: Plan,
  shard: number,
): [first: number, end: number] => [shard * shardSize, Math.min(items, (shard + 1) * shardSize)];

/** The names of all shards. */
export const shardNames = (plan: Plan): string[] => {
  const count = shardCount(plan);
  return Array.from({ length: count }, (_, shard) => shardName(shard));
};

/** The name of a shard: its number, so that names sort as numbers do. */
export const shardName = (shard: number): string => String(shard).padStart(6, '0');

/** The file of the rows of a shard; it is written last, so the shard is done if it is there. */
export const rowsFile = (folder: string, name: string): string =>
  join(folder, 'shards', `${name}.ndjson`);

const FILE = 'plan.json';
const PICTURES = 'pictures.ndjson';

/** A list of paths as text: each is a line of JSON, because a name may have any character in it. */
export const listText = (paths: readonly string[]): string =>
  paths.map((path) => `${JSON.stringify(path)}\n`).join('');

/** The lines of a text of JSON. */
export const parsedLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

/** The pictures of a plan. @throws UserError if the list is not there, or another one */
export async function readPictures(folder: string, { pictures }: ScorePlan): Promise<string[]> {
  const path = join(folder, PICTURES);
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined || (await sha256(bytes)) !== pictures) {
    throw new UserError(
      `${path} is ${bytes ? 'not the list of the plan beside it' : 'missing'}: give the same command again.`,
    );
  }
  return parsedLines(bytes.toString());
}

/** Reads the plan of a folder; undefined if it has none. @throws UserError if it cannot be read */
export async function readPlan(folder: string): Promise<Plan | undefined> {
  const path = join(folder, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(`${path} cannot be read (${error.code}).`);
  });
  if (text === undefined) return undefined;
  try {
    const plan = JSON.parse(text) as Plan;
    const known = plan?.version === 1 && ['score', 'sample'].includes(plan.kind);
    if (known && plan.items > 0 && plan.shardSize > 0 && plan.model?.sha256) return plan;
  } catch {} // no JSON: the same sentence
  throw new UserError(`${path} is not a plan of gpn-cli score or sample: give another folder.`);
}

/**
 * Prepares a folder for the results of a plan. Many processes may do so at the same time.
 *
 * @param pictures the text of the list
 * @throws UserError if the folder has results of another plan, or cannot be written
 */
export async function preparePlan(folder: string, plan: Plan, pictures?: string): Promise<void> {
  const before = await readPlan(folder);
  const differs = before && difference(before, plan);
  if (differs) {
    throw new UserError(
      `${folder} has the results of another ${differs}: give another --out, or remove that folder.`,
    );
  }
  await ensureWritableFolder(join(folder, 'shards'));
  if (before) return;
  if (pictures !== undefined) await writeFileAtomic(join(folder, PICTURES), pictures);
  await writeFileAtomic(join(folder, FILE), `${JSON.stringify(plan, null, 2)}\n`);
}
