/**
 * Differentiable augmentation (Zhao et al. 2020): the discriminator sees real and generated images
 * through the same random changes only, in both updates, so that few images do not suffice to learn
 * them by heart, and the generator does not learn the changes.
 */
import * as tf from '@tensorflow/tfjs-core';

/** What a change needs to know: uniform numbers on (0, 1), [N, 1, 1, 1] each, and what black and white are. */
interface Drawn {
  draw(name: Draw): tf.Tensor;
  readonly range: readonly [number, number];
}
type Change = (x: tf.Tensor, drawn: Drawn) => tf.Tensor;

/** The random numbers of one image, in the order of their columns; the same for every policy. */
const DRAWS = [
  ...(['brightness', 'saturation', 'contrast'] as const),
  ...(['down', 'right'] as const),
  ...(['row', 'column'] as const),
] as const;
type Draw = (typeof DRAWS)[number];

/** Numbers that are drawn for each image. */
export const AUGMENTATION_DRAWS = DRAWS.length;

/** Largest translation, and side of what is cut out, as shares of the image's side. */
const MOVE = 1 / 8;
const CUT = 1 / 2;

/** Rounds a share of a side as the paper's code does, halves up. */
const rounded = (share: number, side: number) => Math.floor(share * side + 0.5);

/** A whole number from 0 to count − 1, of a uniform one. */
const below = (uniform: tf.Tensor, count: number): tf.Tensor => tf.floor(tf.mul(uniform, count));

/**
 * Brightness, saturation and contrast, one after the other: x + b with b in ±½ of a range of 2, then
 * m + s (x − m) with m the mean of a pixel's colours and s in 0 … 2, then M + c (x − M) with M the mean of
 * the image and c in ½ … 1½. Neither of the last two changes M, so the three are one sum. An alpha channel
 * stays as it is.
 */
const color: Change = (x, { draw, range: [low, high] }) => {
  const channels = x.shape[3] as number;
  if (channels === 4) {
    const [colors, alpha] = tf.split(x, [3, 1], 3) as [tf.Tensor, tf.Tensor];
    return tf.concat([color(colors, { draw, range: [low, high] }), alpha], 3);
  }
  const brightness = tf.mul(tf.sub(draw('brightness'), 0.5), (high - low) / 2);
  const contrast = tf.add(draw('contrast'), 0.5);
  const all = tf.mean(x, [1, 2, 3], true);
  const shift = tf.add(tf.mul(all, tf.sub(1, contrast)), brightness);
  if (channels === 1) return tf.add(tf.mul(x, contrast), shift);
  const saturation = tf.mul(draw('saturation'), 2);
  const grey = tf.mul(tf.mean(x, 3, true), tf.mul(contrast, tf.sub(1, saturation)));
  return tf.add(tf.mul(x, tf.mul(contrast, saturation)), tf.add(grey, shift));
};

/** For each image, the square matrix that moves rows down by a whole number, [N, side, side]. */
function moving(by: tf.Tensor, side: number): tf.Tensor {
  const numbers = tf.range(0, side);
  const from = tf.sub(tf.reshape(numbers, [1, side, 1]), tf.reshape(by, [-1, 1, 1]));
  return tf.cast(tf.equal(from, tf.reshape(numbers, [1, 1, side])), 'float32');
}

/**
 * Moves each image by up to an eighth of its sides; zeros come in. As products with matrices of zeros and
 * ones, which have all derivatives.
 */
const translation: Change = (x, { draw }) => {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const [down, right] = (['down', 'right'] as const).map((name, axis) => {
    const most = rounded(MOVE, x.shape[axis + 1] as number);
    return tf.sub(below(draw(name), 2 * most + 1), most);
  }) as [tf.Tensor, tf.Tensor];
  const rows = tf.reshape(x, [n, height, width * channels]);
  const moved = tf.reshape(tf.matMul(moving(down, height), rows), x.shape);
  const columns = tf.reshape(tf.transpose(moved, [0, 2, 1, 3]), [n, width, height * channels]);
  const both = tf.matMul(moving(right, width), columns);
  return tf.transpose(tf.reshape(both, [n, width, height, channels]), [0, 2, 1, 3]);
};

/** Sets a square of half the side to zero, whose middle is anywhere in the image. */
const cutout: Change = (x, { draw }) => {
  const [, height, width] = x.shape as [number, number, number, number];
  const inside = (name: 'row' | 'column', side: number, shape: readonly number[]) => {
    const size = rounded(CUT, side);
    const start = tf.sub(below(draw(name), side + 1 - (size % 2)), Math.floor(size / 2));
    const at = tf.sub(tf.reshape(tf.range(0, side), [...shape]), start);
    const middle = (size - 1) / 2;
    return tf.cast(tf.less(tf.abs(tf.sub(at, middle)), size / 2), 'float32');
  };
  const cut = tf.mul(
    inside('row', height, [1, height, 1, 1]),
    inside('column', width, [1, 1, width, 1]),
  );
  return tf.mul(x, tf.sub(1, cut));
};

/** The changes by the names of the paper's policies. */
const CHANGES = { color, translation, cutout } satisfies Record<string, Change>;

/** A policy's name. */
export type Augmentation = keyof typeof CHANGES;
/** The names of the policies. */
export const AUGMENTATIONS = Object.keys(CHANGES) as Augmentation[];

/**
 * Changes images at random, one policy after the other. Zero, which comes in by translation and cutout,
 * is the middle of the range, as in the paper, whose range is [−1, 1].
 * @param x images, [N, height, width, channels]
 * @param uniform numbers on (0, 1), [N, AUGMENTATION_DRAWS]
 * @param range the values of black and white
 */
export function augment(
  x: tf.Tensor,
  uniform: tf.Tensor,
  policies: readonly Augmentation[],
  range: readonly [number, number],
): tf.Tensor {
  const middle = (range[0] + range[1]) / 2;
  const columns = tf.split(tf.reshape(uniform, [-1, DRAWS.length, 1, 1]), DRAWS.length, 1);
  const draw = (name: Draw) => columns[DRAWS.indexOf(name)] as tf.Tensor;
  const change = (images: tf.Tensor) =>
    policies.reduce((changed, name) => CHANGES[name](changed, { draw, range }), images);
  return middle === 0 ? change(x) : tf.add(change(tf.sub(x, middle)), middle);
}
