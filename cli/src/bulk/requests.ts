/** The plans that commands ask for. */
import { extname } from 'node:path';
import { classOf, type ModelInfo, sha256, thresholdOf, UserError } from '@gpn/runtime';
import type { FOUND } from '../errors.js';
import { type BulkOptions, SHARD_SIZE } from '../options/declare/bulk.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { SAMPLE } from '../options/sample.js';
import type { SCORE } from '../options/score.js';
import { picturesOf } from './manifest.js';
import { listText, type Plan, plannedModel } from './plan.js';
import { runBulk } from './run.js';

/** Options that only bulk work has. */
export const BULK = [
  'shardSize',
  'jobs',
  'shard',
  'queue',
  'format',
  'print',
] as const satisfies readonly (keyof BulkOptions)[];

/** The first of some options that was given, as it is written. */
export function givenOf<T extends object>(
  options: T,
  names: readonly (keyof T & string)[],
): string | undefined {
  const name = names.find((key) => options[key] !== undefined);
  return name && `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

type Score = OptionsOf<typeof SCORE>;
type Sample = OptionsOf<typeof SAMPLE>;

/** A device that is the same everywhere: what is computed on another is rounded otherwise. */
const deviceOf = (device: Score['device']): Plan['device'] => (device === 'auto' ? 'cpu' : device);

/** Options as words of a command; those that are not given are left out. */
const words = (options: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}`, `${value}`];
  });

const labelOf = (info: ModelInfo, label: string | undefined) =>
  label === undefined ? {} : { label: classOf(info, label) };

/** Scores the pictures of a manifest. */
export async function bulkScore(
  manifest: string,
  paths: readonly string[],
  options: Score,
): Promise<typeof FOUND | undefined> {
  const { out, rect, stride, threshold, fragments, shardSize = SHARD_SIZE.score } = options;
  if (paths.length > 0) throw new UserError('Give pictures or --manifest, not both.');
  if (out === undefined) throw new UserError('--manifest needs --out, the folder of the results.');
  const { info, model } = await plannedModel(options.model, ['discriminator', 'critic']);
  if (threshold !== undefined) thresholdOf(info, threshold);
  const chosen = labelOf(info, options.label);
  if (info.condition && chosen.label === undefined) {
    throw new UserError(`${info.name} scores an image together with its class: give --label.`);
  }
  if (stride !== undefined && !fragments && !info.fragment) {
    throw new UserError('--stride is for fragments: give --fragments.');
  }
  const pictures = await picturesOf(manifest);
  const text = listText(pictures);
  const device = deviceOf(options.device);
  const plan: Plan = {
    version: 1,
    kind: 'score',
    model,
    items: pictures.length,
    pictures: await sha256(new TextEncoder().encode(text)),
    shardSize,
    device,
    ...(fragments && { fragments }),
    ...(rect && { rect }),
    ...(stride !== undefined && { stride }),
    ...chosen,
    ...(threshold !== undefined && { threshold }),
  };
  const given = words({
    model: options.model,
    manifest,
    rect: rect && [rect.x, rect.y, rect.width, rect.height].join(),
    stride,
    label: options.label,
    threshold,
    fragments,
    device: options.device === 'auto' ? undefined : device,
    'shard-size': options.shardSize,
  });
  return runBulk({ plan, pictures: text, out, words: ['score', ...given] }, options);
}

/** More images than this in a folder are drawn in bulk: so many files in one are a burden. */
const MANY = 10_000;

/** Whether images are asked for in bulk. */
export function isBulk(options: Sample): boolean {
  const { count = 0, out, latents, interpolate } = options;
  if (givenOf(options, BULK)) return true;
  return count > MANY && latents === undefined && !interpolate && isFolderName(out);
}

const isFolderName = (out: string): boolean => out !== '-' && extname(out) === '';

/** Draws images in shards. */
export async function bulkSample(options: Sample): Promise<typeof FOUND | undefined> {
  const { count, seed, shardSize = SHARD_SIZE.sample } = options;
  const other = givenOf(options, ['interpolate', 'latents', 'code']);
  if (other)
    throw new UserError(`${other} is not for bulk work: leave the options of bulk work out.`);
  if (count === undefined) throw new UserError('In bulk, --count says how many images to draw.');
  if (!isFolderName(options.out)) {
    throw new UserError(`--out ${options.out} must be a folder in bulk, such as images.`);
  }
  const { info, model } = await plannedModel(options.model, ['generator']);
  const label = options.label ?? options.category;
  const chosen = label === 'all' ? {} : labelOf(info, label);
  if (label !== undefined && !info.condition) {
    throw new UserError(`${info.name} has no classes, so it takes no --label.`);
  }
  const device = deviceOf(options.device);
  const plan: Plan = {
    version: 1,
    kind: 'sample',
    model,
    items: count,
    shardSize,
    seed,
    device,
    ...chosen,
  };
  const given = words({
    model: options.model,
    count,
    seed,
    label,
    device: options.device === 'auto' ? undefined : device,
    'shard-size': options.shardSize,
  });
  return runBulk(
    { plan, out: options.out.replace(/[/\\]+$/, ''), words: ['sample', ...given] },
    options,
  );
}
