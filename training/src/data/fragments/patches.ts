/**
 * Patches of images in which a discriminator judges many fragments at once. Fragments overlap, and what a
 * network computes where they do is computed once: a step sees many times as many of them.
 */
import type { RandomStream } from '@gpn/runtime';
import { turned } from '../flip.js';
import type { Images } from '../types.js';
import { ALTERATIONS, type Alteration, cut } from './alterations.js';
import { type Corners, drawCorners, type FragmentSize, type Size } from './corners.js';
import { type FragmentOptions, otherView, viewOf } from './fragments.js';
import { alterBox, type Box, drawSides, isCovered, type RegionOptions } from './regions.js';

/** What is done to patches. */
export interface PatchOptions {
  /** Side of the part of a patch in which the internal parts of its fragments lie, in pixels. */
  readonly internal: number;
  /** Altered regions of a patch: from none to so many, each number as often. */
  readonly regions: number;
  /** Whether images are shown in any of their eight orientations. */
  readonly turned?: boolean | undefined;
}

/** What is done to patches, and which of their fragments are judged. */
export interface PatchSettings extends PatchOptions {
  /** Pixels from one fragment to the next, and fragments along each side. */
  readonly stride: number;
  readonly across: number;
}

/** Patches, and what the discriminator is to say of their fragments. */
export interface PatchBatch {
  /** The patches, [views, side, side, channels], values from 0 to 1. */
  readonly fragments: Float32Array;
  /** The class of each fragment, [views, across, across]: 1 real, 0 altered. */
  readonly labels: Float32Array;
  /** The weight of each in the loss. */
  readonly weights: Float32Array;
}

/** Places that are tried for a region before there is one less. */
const TRIES = 10;

/** The alterations of a training, and how often each is chosen, as shares that sum to 1. */
function sharesOf({ negatives }: FragmentOptions): [Alteration, number][] {
  const known = (Object.keys(ALTERATIONS) as Alteration[]).filter((kind) => negatives[kind]);
  const kinds = known.map((kind) => [kind, negatives[kind] as number] as const);
  const sum = kinds.reduce((all, [, weight]) => all + weight, 0);
  return kinds.map(([kind, weight]) => [kind, weight / sum]);
}

function choose(shares: [Alteration, number][], random: RandomStream): Alteration {
  let left = random.uniform(1, 0, 1)[0] as number;
  const found = shares.find(([, share]) => {
    left -= share;
    return left < 0;
  });
  return (found ?? (shares.at(-1) as [Alteration, number]))[0];
}

/**
 * One patch of each view, cut at a corner of its own, with altered regions that do not overlap. A fragment
 * counts as altered if a region covers its internal part, and as real otherwise; one whose internal part is
 * altered in part has the weight `region.beside`.
 *
 * @param views numbers below `viewCount`
 */
export function patchBatch(
  data: Images,
  views: ArrayLike<number>,
  options: FragmentOptions & { readonly region: RegionOptions },
  { internal, regions, turned: turns, stride, across }: PatchSettings,
  random: RandomStream,
): PatchBatch {
  const { frame, region } = options;
  const side = internal + 2 * frame;
  const length = side * side * data.channels;
  const shares = sharesOf(options);
  const patches = new Float32Array(views.length * length);
  const labels = new Float32Array(views.length * across * across);
  const weights = new Float32Array(labels.length);
  for (let n = 0; n < views.length; n++) {
    const view = views[n] as number;
    const shown = (number: number) => {
      const image = viewOf(data, number, options.inverse, 1);
      return turns ? turned(image, random.below(1, 8)[0] as number) : image;
    };
    const image = shown(view);
    const corner = drawCorners(random, 1, image, internal);
    const [row, column] = [corner.rows[0] as number, corner.columns[0] as number];
    const patch = patches.subarray(n * length, (n + 1) * length);
    patch.set(cut(image, row - frame, column - frame, side));
    const other = () => shown(otherView(data, view, options, random));
    const place = { image, other, row, column, frame, random };
    const boxes: Box[] = [];
    const wanted = random.below(1, regions + 1)[0] as number;
    for (let tried = 0; boxes.length < wanted && tried < TRIES * wanted; tried++) {
      const box = drawBox(region, image, corner, { internal, frame }, random);
      const kind = choose(shares, random);
      if (boxes.some((one) => overlap(one, box))) continue;
      if (alterBox(patch, side, place, kind, box, region.smooth)) boxes.push(box);
    }
    quantize(patch);
    judge(boxes, n * across * across);
  }
  return { fragments: patches, labels, weights };

  /** Sets the labels and weights of a patch's fragments, the first of which is at `first`. */
  function judge(boxes: readonly Box[], first: number): void {
    for (let k = 0; k < across * across; k++) {
      const [y, x] = [Math.floor(k / across), k % across].map((at) => frame + at * stride) as [
        number,
        number,
      ];
      const part = { top: y, left: x, height: options.internal, width: options.internal };
      const covered = boxes.some((box) => isCovered(box, y, x, options.internal));
      const touched = boxes.some((box) => overlap(box, part));
      labels[first + k] = covered ? 0 : 1;
      weights[first + k] = touched && !covered ? (region.beside ?? 0) : 1;
    }
  }
}

/** Rounds values to 8 bits, as those of pictures are in which alterations are looked for. */
function quantize(patch: Float32Array): void {
  for (let k = 0; k < patch.length; k++)
    patch[k] = Math.min(255, Math.round(256 * (patch[k] as number))) / 256;
}

/** A region whose middle is in the judged part of a patch, and which lies in both the image and the patch. */
function drawBox(
  { smallest, largest }: RegionOptions,
  { height, width }: Size,
  { rows, columns }: Corners,
  { internal, frame }: FragmentSize,
  random: RandomStream,
): Box {
  const sides = drawSides(random, smallest, largest);
  const along = (corner: number, whole: number, length: number): number => {
    const middle = length >> 1;
    const first = Math.max(0, frame - Math.min(corner, middle));
    const last = Math.min(2 * frame + internal, frame - corner + whole) - length;
    const until = Math.min(last, frame + internal - 1 - middle);
    return first + (random.below(1, Math.max(1, until - first + 1))[0] as number);
  };
  const [row, column] = [rows[0] as number, columns[0] as number];
  return {
    top: along(row, height, sides.height),
    left: along(column, width, sides.width),
    ...sides,
  };
}

const overlap = (a: Box, b: Box): boolean =>
  a.top < b.top + b.height &&
  b.top < a.top + a.height &&
  a.left < b.left + b.width &&
  b.left < a.left + a.width;
