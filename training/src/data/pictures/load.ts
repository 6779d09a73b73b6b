/** Loads folders of pictures as images of one size. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type ImageSize, type Preparation, prepare, processors, UserError } from '@gpn/runtime';
import pMap from 'p-map';
import { fileReason } from '../../files/atomic.js';
import { allocate } from '../images.js';
import type { Images, Split } from '../types.js';
import { decode, Unreadable } from './decode.js';
import { filesBelow, type Problem } from './files.js';
import {
  foreignSentence,
  type Listing,
  listPictures,
  PARTS,
  type Part,
  problemSentence,
} from './listing.js';

/** How to load a folder of pictures. */
export interface PictureOptions extends ImageSize {
  readonly split: Split;
  /** How pictures become images; `PREPARATION` of the runtime by default. */
  readonly preparation?: Preparation | undefined;
  /** Whether to go on without the files that cannot be read. */
  readonly skipUnreadable?: boolean | undefined;
  /** Called after each decoded file. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with sentences about what was read and what was not. */
  readonly onNote?: (text: string) => void;
}

/**
 * Loads the pictures below a folder in a fixed order: by classes in natural order, and within each by
 * their paths. `prepare` of the runtime makes images of them.
 *
 * @throws UserError if there is nothing to load, or naming the files that cannot be read
 */
export async function loadPictures(folder: string, options: PictureOptions): Promise<Images> {
  const { height, width, channels, preparation, skipUnreadable = false, onNote } = options;
  const listing = await listPictures(folder, await filesBelow(folder));
  const { files, labels, classes } = partOf(folder, listing, options.split);
  const size = height * width * channels;
  const images = allocate(files.length * size, folder);
  const problems: (Problem | undefined)[] = [];
  let done = 0;
  await pMap(
    files,
    async ({ path }, k) => {
      try {
        const { picture } = await decode(await readFile(join(folder, path)));
        images.set(prepare(picture, { height, width, channels }, preparation), k * size);
      } catch (error) {
        problems[k] = { file: path, reason: whyNot(error) };
      }
      options.onProgress?.(++done, files.length);
    },
    { concurrency: processors() },
  );
  const unread = [...listing.problems, ...problems.filter((each) => each !== undefined)];
  const total = files.length + listing.problems.length;
  if (unread.length > 0 && !skipUnreadable) throw new UserError(refusal(folder, unread, total));
  const kept = [...files.keys()].filter((k) => problems[k] === undefined);
  if (kept.length === 0) throw new UserError(refusal(folder, unread, total));
  for (const note of notesOf(folder, listing, unread, total)) onNote?.(note);
  kept.forEach((k, at) => {
    if (k !== at) images.copyWithin(at * size, k * size, (k + 1) * size);
  });
  return {
    name: basename(resolve(folder)),
    count: kept.length,
    height,
    width,
    channels,
    images: images.subarray(0, kept.length * size),
    ...(labels &&
      classes && { labels: labels.filter((_, k) => !problems[k]), classes: [...classes] }),
    ...(unread.length > 0 && { unread }),
  };
}

/** Why a file cannot be read; throws what is no fault of the file. */
export function whyNot(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  const reason = fileReason(error);
  if (reason === undefined) throw error;
  return `cannot be opened (${reason})`;
}

/** The part of a folder that is asked for. What validates serves as the test set, if there is no other. */
function partOf(folder: string, { parts }: Listing, split: Split): Part {
  const part = split === 'train' ? parts.train : (parts.test ?? parts.val);
  if (!part) {
    throw new UserError(
      `${folder} is a folder of images, which has no test set; give another folder.`,
    );
  }
  const classes = parts.train?.classes;
  if (part === parts.train || !classes || !part.classes) return part;
  const places = part.classes.map((name) => {
    const place = classes.indexOf(name);
    if (place >= 0) return place;
    throw new UserError(
      `${folder} has images of the class ${name} to test with, but none to train with; the classes are ${classes.join(', ')}.`,
    );
  });
  return { ...part, classes, labels: part.labels?.map((label) => places[label] as number) };
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
): string[] {
  const missing = [...foreign.values()].reduce((sum, { length }) => sum + length, 0);
  const counts = PARTS.flatMap((name) => {
    const count = parts[name]?.files.length;
    return count ? [`${name} (${count} ${count === 1 ? 'image' : 'images'})`] : [];
  });
  const was = (n: number) => (n === 1 ? 'was' : 'were');
  return [
    ...(divided ? [`${folder} is divided into ${listed(counts)}, which are not classes.`] : []),
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
