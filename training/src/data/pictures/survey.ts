/** Says what is in a folder of pictures: each is decoded, as a training would. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processors } from '@gpn/runtime';
import pMap from 'p-map';
import { groupBy } from '../../records.js';
import { type Decoded, decode } from './decode.js';
import { filesBelow, type Problem } from './files.js';
import type { Foreign } from './kinds.js';
import { listPictures, PARTS, type PartName } from './listing.js';
import { whyNot } from './load.js';

/** What a picture shows, whatever its file says: colours that are all grey are grey. */
export const MODES = ['grey', 'colour', 'grey and transparent', 'colour and transparent'] as const;
/** One of {@link MODES}. */
export type Mode = (typeof MODES)[number];

/** A width and height in pixels, upright, and how many pictures have it. */
export interface SizeCount {
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

/** A part of a folder, or all of it. */
export interface PartSurvey {
  readonly name: PartName;
  /** Pictures that can be read. */
  readonly count: number;
  /** The classes in the order of their labels, if sub-folders are classes. */
  readonly classes?: readonly { readonly name: string; readonly count: number }[];
}

/** What is in a folder of pictures. Paths are relative to the folder. */
export interface FolderSurvey {
  readonly folder: string;
  /** Pictures that can be read, of all parts. */
  readonly count: number;
  /** Whether sub-folders named `train`, `val` and `test` divide it. */
  readonly divided: boolean;
  /** `train` first; the only part of a folder that is not divided. */
  readonly parts: readonly PartSurvey[];
  /** The number of pictures of each kind of file. */
  readonly formats: Readonly<Record<string, number>>;
  /** The number of pictures of each mode; those without any are left out. */
  readonly modes: Readonly<Partial<Record<Mode, number>>>;
  /** Pictures with 16 bits a channel, of which 8 are used. */
  readonly deep: number;
  /** By their number, the most first. */
  readonly sizes: readonly SizeCount[];
  /** The median of the shorter sides, in pixels. */
  readonly medianSide: number;
  /** Groups of files with the same pixels. */
  readonly duplicates: readonly (readonly string[])[];
  /** Files that cannot be read. */
  readonly unreadable: readonly Problem[];
  /** Pictures of kinds that are not read. */
  readonly foreign: Readonly<Partial<Record<Foreign, readonly string[]>>>;
  /** The number of files that are no pictures. */
  readonly others: number;
}

/** How a folder is surveyed. */
export interface SurveyOptions {
  /** Called after each file. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with each picture, in any order. `index` is its place among the `total` pictures. */
  readonly onPicture?: (picture: Decoded['picture'], index: number, total: number) => void;
}

/** What is kept of a picture. */
interface Seen {
  readonly file: string;
  readonly part: PartName;
  readonly label: number | undefined;
  readonly kind: string;
  readonly mode: Mode;
  readonly deep: boolean;
  readonly width: number;
  readonly height: number;
  readonly hash: string;
}

/**
 * Looks at all pictures below a folder.
 *
 * @throws UserError if there are none, if pictures lie beside classes, or if a class has none
 */
export async function surveyFolder(
  folder: string,
  { onProgress, onPicture }: SurveyOptions = {},
): Promise<FolderSurvey> {
  const listing = await listPictures(folder, await filesBelow(folder));
  const files = PARTS.flatMap((part) => {
    const { files, labels } = listing.parts[part] ?? { files: [] };
    return files.map(({ path }, k) => ({ path, part, label: labels?.[k] }));
  });
  let done = 0;
  const looked = await pMap(
    files,
    async ({ path, part, label }, k): Promise<Seen | Problem> => {
      try {
        const { picture, kind, deep } = await decode(await readFile(join(folder, path)));
        const { width, height } = picture;
        onPicture?.(picture, k, files.length);
        const mode = modeOf(picture);
        const hash = hashOf(picture, mode);
        return { file: path, part, label, kind, mode, deep, width, height, hash };
      } catch (error) {
        return { file: path, reason: whyNot(error) };
      } finally {
        onProgress?.(++done, files.length);
      }
    },
    { concurrency: processors() },
  );
  const seen = looked.filter((each) => 'hash' in each);
  const sides = seen.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  return {
    folder,
    count: seen.length,
    divided: listing.divided,
    parts: PARTS.flatMap((name) => {
      const { classes } = listing.parts[name] ?? {};
      const own = seen.filter(({ part }) => part === name);
      if (!listing.parts[name]) return [];
      const named = classes?.map((title, label) => ({
        name: title,
        count: own.filter((each) => each.label === label).length,
      }));
      return [{ name, count: own.length, ...(named && { classes: named }) }];
    }),
    formats: tally(seen.map(({ kind }) => kind)),
    modes: tally(seen.map(({ mode }) => mode)),
    deep: seen.filter(({ deep }) => deep).length,
    sizes: sizesOf(seen),
    medianSide: sides[sides.length >> 1] ?? 0,
    duplicates: groups(seen),
    unreadable: [...listing.problems, ...looked.filter((each) => 'reason' in each)],
    foreign: Object.fromEntries(listing.foreign),
    others: listing.others.length,
  };
}

function modeOf({ width, height, data }: Decoded['picture']): Mode {
  const channels = data.length / (width * height);
  let [coloured, clear] = [false, false];
  for (let at = 0; at < data.length && !(coloured && clear); at += channels) {
    coloured ||= channels > 2 && (data[at] !== data[at + 1] || data[at] !== data[at + 2]);
    clear ||= channels % 2 === 0 && (data[at + channels - 1] as number) < 255;
  }
  return MODES[(coloured ? 1 : 0) + (clear ? 2 : 0)] as Mode;
}

/** A hash that pictures with the same pixels share, whether their files have an opaque alpha or none. */
function hashOf({ width, height, data }: Decoded['picture'], mode: Mode): string {
  const channels = data.length / (width * height);
  const isOpaque = channels % 2 === 0 && !mode.endsWith('transparent');
  const pixels = isOpaque ? data.filter((_, i) => i % channels < channels - 1) : data;
  return createHash('sha256').update(`${width}×${height}`).update(pixels).digest('hex');
}

/** How often each value occurs, the most frequent first. */
function tally<K extends string>(values: readonly K[]): Record<K, number> {
  const counts = [...groupBy(values, (value) => value)].map(([value, { length }]) => [
    value,
    length,
  ]);
  return Object.fromEntries(counts.sort((a, b) => Number(b[1]) - Number(a[1])));
}

function sizesOf(seen: readonly Seen[]): SizeCount[] {
  const counts = tally(seen.map(({ width, height }) => `${width},${height}`));
  return Object.entries(counts).map(([size, count]) => {
    const [width, height] = size.split(',').map(Number) as [number, number];
    return { width, height, count };
  });
}

/** The files that have the same pixels. */
function groups(seen: readonly Seen[]): string[][] {
  const same = [...groupBy(seen, ({ hash }) => hash).values()];
  return same.filter(({ length }) => length > 1).map((group) => group.map(({ file }) => file));
}
