/** Which pictures of a folder are trained with, and which are kept to test with. */
import { stream, UserError } from '@gpn/runtime';
import { gather } from '../rows.js';
import type { Split } from '../types.js';
import { filesBelow } from './files.js';
import { type Listing, listPictures, type Part } from './listing.js';

/**
 * The part of a folder that is asked for. What validates serves as the test set, if there is no other.
 *
 * @param heldOut of a folder without a test set: so many pictures, drawn from a fixed seed, are its test set
 * @throws UserError if there is no such part, or there are no more pictures than are held out
 */
export function partOf(folder: string, { parts }: Listing, split: Split, heldOut?: number): Part {
  const own = parts.test ?? parts.val;
  if (heldOut !== undefined && own) {
    throw new UserError(`${folder} has a test set of its own: leave data.held_out out.`);
  }
  if (heldOut !== undefined && parts.train) return apart(folder, parts.train, split, heldOut);
  const part = split === 'train' ? parts.train : own;
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

/** Those of the pictures that are held out, or the others. */
function apart(folder: string, all: Part, split: Split, heldOut: number): Part {
  const { files, labels } = all;
  if (heldOut >= files.length) {
    throw new UserError(
      `${folder} has ${files.length} ${files.length === 1 ? 'picture' : 'pictures'}, of which data.held_out: ${heldOut} leaves none to train with.`,
    );
  }
  const held = new Set(stream(0, 'held out').permutation(files.length).subarray(0, heldOut));
  const kept = [...files.keys()].filter((k) => held.has(k) === (split === 'test'));
  return {
    ...all,
    files: kept.map((k) => files[k] as (typeof files)[number]),
    ...(labels && { labels: gather(labels, 1, kept) }),
  };
}

/**
 * The paths of the test set of a folder, within it; undefined if it has none.
 *
 * @throws UserError as `partOf` does
 */
export async function testPictures(
  folder: string,
  heldOut?: number,
): Promise<readonly string[] | undefined> {
  const listing = await listPictures(folder, await filesBelow(folder));
  const { test, val } = listing.parts;
  if (!(test ?? val) && heldOut === undefined) return undefined;
  return partOf(folder, listing, 'test', heldOut).files.map(({ path }) => path);
}
