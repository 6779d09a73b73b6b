/** Images of a page as a data set. */
import { product, sha256, UserError } from '@gpn/runtime';
import { classHistogram } from '../../data/format/labels.js';
import type { Dataset } from '../../data/types.js';
import type { StepInfo } from '../../export/step-file.js';

/** Images in memory. */
export interface PageImages {
  /** Pixels, 0 to 255: one image after the other, each [height, width, channels]. */
  readonly images: Uint8Array;
  /** The class of each image, as an index into `classes`; for networks that take classes. */
  readonly labels?: Uint8Array;
  /** The names of the classes. */
  readonly classes?: readonly string[];
  /** What to call the images in the exported networks. */
  readonly name?: string;
}

/**
 * The images as a data set for a step. Its hash is the one that Node gives the same images.
 * @throws UserError if the images have not the size that the step takes, or labels do not fit
 */
export async function datasetOf(
  { images, labels, classes, name = 'images of a page' }: PageImages,
  { recipe: { data } }: StepInfo,
): Promise<Dataset> {
  const { height, width, channels } = data;
  const count = images.length / product([height, width, channels]);
  if (!Number.isInteger(count) || count === 0) {
    throw new UserError(
      `The images have ${images.length} bytes, which are not whole images of ${height} × ${width} pixels with ${channels} channel(s): prepare them in this size.`,
    );
  }
  if (labels && (labels.length !== count || !classes)) {
    throw new UserError(
      `${count} image(s) need as many labels and the names of the classes, not ${labels.length} label(s)${classes ? '' : ' without names'}.`,
    );
  }
  const beyond = labels?.find((label) => label >= (classes as readonly string[]).length);
  if (beyond !== undefined) {
    throw new UserError(`There is a label ${beyond}, but only ${classes?.length} class(es).`);
  }
  return {
    ...{ name, count, height, width, channels, images },
    ...(labels && classes && labelled(labels, classes)),
    hash: await hashOf([count, height, width, channels], images, labels),
  };
}

const labelled = (labels: Uint8Array, classes: readonly string[]) => ({
  labels,
  classes: [...classes],
  shares: [...classHistogram(labels, classes.length)],
});

/** As `hashImages` computes it under Node. */
const hashOf = async (shape: readonly number[], images: Uint8Array, labels?: Uint8Array) =>
  digestOf([new TextEncoder().encode(JSON.stringify(shape)), images, ...(labels ? [labels] : [])]);

/** SHA-256, in hex, of pieces that lie one after the other. */
export const digestOf = async (pieces: Iterable<Uint8Array>): Promise<string> =>
  sha256(new Uint8Array(await new Blob([...pieces] as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
