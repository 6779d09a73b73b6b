/** Loads folders of pictures as images of one size. */
import { open, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import {
  type ImageSize,
  PREPARATION,
  type Preparation,
  prepare,
  processors,
  UserError,
} from '@gpn/runtime';
import pMap from 'p-map';
import { fileError, fileReason } from '../../files/atomic.js';
import { allocate } from '../images.js';
import type { Images, Split } from '../types.js';
import { type Draft, draftEntry, type Entry, type EntryInfo, findEntry, keyOf } from './cache.js';
import { cropsOf } from './crops.js';
import { decode, Unreadable } from './decode.js';
import { type FoundFile, filesBelow, type Problem, type Tree } from './files.js';
import { foreignSentence, type Listing, listPictures, PARTS, problemSentence } from './listing.js';
import { partOf } from './parts.js';

/** How to load a folder of pictures. */
export interface PictureOptions extends ImageSize {
  readonly split: Split;
  /** How pictures become images; `PREPARATION` of the runtime by default. */
  readonly preparation?: Preparation | undefined;
  /** So many images are cut out of each picture at its own size, instead of making one of it. */
  readonly crops?: number | undefined;
  /** So many pictures of a folder without a test set are its test set: see `partOf`. */
  readonly heldOut?: number | undefined;
  /** Whether to go on without the files that cannot be read. */
  readonly skipUnreadable?: boolean | undefined;
  /** The folder of decoded sets; without one, nothing is kept. */
  readonly cache?: string | undefined;
  /** Bytes of images above which they stay in the cache; by default a quarter of the memory. */
  readonly memory?: number | undefined;
  /** Called after each decoded file. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with sentences about what was read and what was not. */
  readonly onNote?: (text: string) => void;
}

/**
 * Loads the pictures below a folder in a fixed order: by classes in natural order, and within each by
 * their paths. `prepare` of the runtime makes images of them. With a cache, only files that have changed
 * since are decoded again, and images that take more than `memory` stay in its file.
 *
 * @throws UserError if there is nothing to load, or naming the files that cannot be read
 */
export async function loadPictures(folder: string, options: PictureOptions): Promise<Images> {
  const { height, width, channels, cache, onNote, memory = totalmem() / 4 } = options;
  const { preparation = PREPARATION, skipUnreadable = false, split, crops, heldOut } = options;
  const tree = await filesBelow(folder);
  const how = {
    height,
    width,
    channels,
    preparation,
    skipUnreadable,
    split,
    ...(crops && { crops }),
    ...(heldOut && { heldOut }),
  };
  const key = keyOf([how, resolve(folder), tree]);
  const kept = cache === undefined ? undefined : await findEntry(cache, key);
  const found = kept
    ? await fromEntry(kept, folder, memory)
    : await decodeAll(folder, tree, key, { ...options, preparation, memory });
  for (const note of found.notes) onNote?.(note);
  return { name: basename(resolve(folder)), height, width, channels, ...found.images };
}

/** What of a set does not follow from the options. */
interface Found {
  readonly images: Pick<Images, 'count' | 'images' | 'labels' | 'classes' | 'unread' | 'store'>;
  readonly notes: readonly string[];
}

const describe = (
  { count, classes, unread, notes }: EntryInfo,
  labels: Uint8Array | undefined,
  where: Pick<Images, 'images' | 'store'>,
): Found => ({
  images: {
    count,
    ...where,
    ...(labels && classes && { labels, classes: [...classes] }),
    ...(unread.length > 0 && { unread: [...unread] }),
  },
  notes,
});

async function fromEntry(entry: Entry, folder: string, memory: number): Promise<Found> {
  const { path, labels, count, height, width, channels } = entry;
  const bytes = count * height * width * channels;
  if (bytes > memory)
    return describe(entry, labels, { images: new Uint8Array(0), store: { path } });
  const images = allocate(bytes, folder);
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(images, at, Math.min(bytes - at, PIECE), at);
      if (bytesRead === 0) throw new UserError(`${path} is cut short: remove it.`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return describe(entry, labels, { images });
}

/** Bytes that are read at once. */
const PIECE = 2 ** 26;

/** Files that are decoded before their pixels are written. */
const AT_ONCE = 128;

async function decodeAll(
  folder: string,
  tree: Tree,
  key: string,
  options: PictureOptions & { readonly preparation: Preparation; readonly memory: number },
): Promise<Found> {
  const { height, width, channels, cache, memory, crops, skipUnreadable = false } = options;
  const listing = await listPictures(folder, tree);
  const { files, labels, classes } = partOf(folder, listing, options.split, options.heldOut);
  // Of each picture.
  const [count, size] = [crops ?? 1, (crops ?? 1) * height * width * channels];
  const isLarge = cache !== undefined && files.length * size > memory;
  const images = isLarge ? undefined : allocate(files.length * size, folder);
  const draft = await begin(cache, key, isLarge);
  const problems = [...listing.problems];
  const kept: number[] = [];
  let done = 0;
  const rowOf = async ({ path }: FoundFile): Promise<Uint8Array | Problem> => {
    try {
      const { picture } = await decode(await readFile(join(folder, path)));
      const shape = { height, width, channels };
      return crops
        ? cropsOf(picture, path, crops, shape, options.preparation)
        : new Uint8Array(prepare(picture, shape, options.preparation));
    } catch (error) {
      return { file: path, reason: whyNot(error) };
    } finally {
      options.onProgress?.(++done, files.length);
    }
  };
  try {
    for (let from = 0; from < files.length; from += AT_ONCE) {
      const some = files.slice(from, from + AT_ONCE);
      const rows = await pMap(some, rowOf, { concurrency: processors() });
      const good: Uint8Array[] = [];
      rows.forEach((row, k) => {
        if (!(row instanceof Uint8Array)) problems.push(row);
        else {
          images?.set(row, kept.length * size);
          kept.push(from + k);
          good.push(row);
        }
      });
      await draft.append(Buffer.concat(good));
    }
    const total = files.length + listing.problems.length;
    if (kept.length === 0 || (problems.length > 0 && !skipUnreadable)) {
      throw new UserError(refusal(folder, problems, total));
    }
    const info: EntryInfo = {
      ...{ count: count * kept.length, height, width, channels },
      ...(classes && { classes }),
      unread: problems,
      notes: notesOf(folder, listing, problems, total, options),
    };
    const own =
      labels &&
      Uint8Array.from({ length: count * kept.length }, (_, k) => {
        return labels[kept[Math.floor(k / count)] as number] as number;
      });
    const entry = await draft.finish(info, own);
    if (images) return describe(info, own, { images: images.subarray(0, kept.length * size) });
    const store = { path: (entry as Entry).path };
    return describe(info, own, { images: new Uint8Array(0), store });
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

/** A draft that writes nothing. */
const NO_DRAFT = {
  append: async () => {},
  finish: async () => undefined,
  discard: async () => {},
};

/**
 * Begins an entry. A cache that cannot be written is no reason not to train, unless there is no other
 * place for the images.
 */
async function begin(cache: string | undefined, key: string, needed: boolean) {
  if (cache === undefined) return NO_DRAFT;
  let draft: Draft;
  try {
    draft = await draftEntry(cache, key);
  } catch (error) {
    if (needed) throw fileError('write into', cache, error);
    return NO_DRAFT;
  }
  if (needed) {
    return {
      ...draft,
      append: (pixels: Uint8Array) =>
        draft.append(pixels).catch((error: unknown) => {
          throw fileError('write into', cache, error);
        }),
    };
  }
  let failed = false;
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (failed) return undefined;
    return work().catch(async () => {
      failed = true;
      await draft.discard();
      return undefined;
    });
  };
  return {
    append: (pixels: Uint8Array) => attempt(() => draft.append(pixels)),
    finish: (info: EntryInfo, labels?: Uint8Array) => attempt(() => draft.finish(info, labels)),
    discard: draft.discard,
  };
}

/** Why a file cannot be read; throws what is no fault of the file. */
export function whyNot(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  const reason = fileReason(error);
  if (reason === undefined) throw error;
  return `cannot be opened (${reason})`;
}

const refusal = (folder: string, unread: readonly Problem[], total: number): string =>
  `${unread.length} of ${total} images of ${folder} cannot be read: ${problemSentence(unread)}; ` +
  'repair or remove them, or set data.skip_unreadable: true to go on without them.';

/** What a person should know about what was read, in sentences. */
function notesOf(
  folder: string,
  { parts, divided, foreign }: Listing,
  unread: readonly Problem[],
  total: number,
  { heldOut }: Pick<PictureOptions, 'heldOut'>,
): string[] {
  const missing = [...foreign.values()].reduce((sum, { length }) => sum + length, 0);
  const counts = PARTS.flatMap((name) => {
    const count = parts[name]?.files.length;
    return count ? [`${name} (${count} ${count === 1 ? 'image' : 'images'})`] : [];
  });
  const was = (n: number) => (n === 1 ? 'was' : 'were');
  return [
    ...(divided ? [`${folder} is divided into ${listed(counts)}, which are not classes.`] : []),
    ...(heldOut
      ? [
          `${heldOut} of ${parts.train?.files.length} pictures of ${folder} ${was(heldOut)} held out: the training does not see ${heldOut === 1 ? 'it' : 'them'}.`,
        ]
      : []),
    ...(missing > 0
      ? [
          `${missing} ${missing === 1 ? 'file' : 'files'} of ${folder} ${was(missing)} not read: ${foreignSentence(foreign)}.`,
        ]
      : []),
    ...(unread.length > 0
      ? [
          `${unread.length} of ${total} images of ${folder} ${was(unread.length)} left out: ${problemSentence(unread)}.`,
        ]
      : []),
  ];
}

/** `a, b and c`. */
const listed = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(Boolean).join(' and ');
