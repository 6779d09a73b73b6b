import { UserError } from '../errors.js';
import { Images, imageShape } from '../format/images.js';
import type { ScoreMeaning } from '../format/model-info.js';
import { channelsOf, cut, fitted, type Picture, type Rectangle } from '../format/picture.js';
import { type BatchOptions, type Feed, product, runBatches } from '../session/batches.js';
import { denseMap, isDense } from './dense-map.js';
import { oneHot } from './inputs.js';
import { Model } from './model.js';

export interface ScoreOptions extends BatchOptions {
  /** Of a conditional discriminator: one class for all images, or one for each. */
  labels?: number | ArrayLike<number>;
}

export interface MapOptions extends BatchOptions {
  /** Pixels from one window to the next; 1 for fragments, else a quarter of a window. */
  stride?: number;
  /** Of a conditional discriminator: the class that all windows are judged as. */
  labels?: number;
}

export interface Scores {
  meaning: ScoreMeaning;
  /** One for each image. */
  values: Float32Array;
}

export interface ScoreMap extends Scores {
  /** `values` are [rows, columns]. */
  rows: number;
  columns: number;
  stride: number;
  /** The window of the first value, in pixels of the picture; a fragment's frame may lie outside. */
  first: Rectangle;
}

// A map of more windows than this would take days.
const MAX_WINDOWS = 2 ** 26;

/** A trained discriminator or critic: scores images, parts of pictures, and whole pictures. */
export class Discriminator extends Model {
  /** Whether a map takes one pass over the picture rather than one for each window. */
  get dense(): boolean {
    return this.info.fragment !== undefined && isDense(this.network);
  }

  /**
   * Scores images of the size that the model was made for.
   *
   * @param images [N, height, width, channels], a plain array in the model's own range
   * @throws UserError where the images are of another size
   */
  async score(images: Images | Float32Array, options: ScoreOptions = {}): Promise<Scores> {
    const { name } = this.info;
    const shape = imageShape(this.info);
    const data = images instanceof Images ? this.#inRange(images) : images;
    const count = data.length / product(shape);
    if (!Number.isInteger(count) || count === 0) {
      throw new UserError(
        `${data.length} values are not images of ${shape.join('×')}, as ${name} takes.`,
      );
    }
    return this.#run(data, count, options);
  }

  /**
   * Scores rectangles of a picture, each resampled to the size that the model was made for; one of
   * that very size is taken as it is. Outside of the picture there is black: only the frame of a
   * fragment may reach there.
   *
   * @throws UserError where a rectangle is empty or not within the picture
   */
  async scoreFragments(
    image: Picture,
    rectangles: readonly Rectangle[],
    options: ScoreOptions = {},
  ): Promise<Scores> {
    if (rectangles.length === 0) throw new UserError('There is no rectangle to score.');
    channelsOf(image);
    for (const rectangle of rectangles) this.#check(image, rectangle);
    return this.#cuts(image, (k) => rectangles[k] as Rectangle, rectangles.length, options);
  }

  /**
   * Scores windows of the model's size all over a picture, `stride` pixels apart; a batch of them is
   * in memory at once. Fragments lie so that their internal parts cover the picture; where the model
   * takes pictures of any size, all of a tile are scored in one pass, whatever `batchSize` is.
   *
   * @throws UserError where the picture is smaller than a window
   */
  async scoreMap(image: Picture, options: MapOptions = {}): Promise<ScoreMap> {
    channelsOf(image);
    const { image: window, fragment, name } = this.info;
    const frame = fragment?.frame ?? 0;
    const quarter = Math.max(1, Math.floor(Math.min(window.width, window.height) / 4));
    const { stride = fragment ? 1 : quarter } = options;
    if (!Number.isInteger(stride) || stride < 1) {
      throw new UserError(`The stride is a whole number of pixels from 1, not ${stride}.`);
    }
    const places = (side: number, size: number) =>
      Math.floor((side + 2 * frame - size) / stride) + 1;
    const columns = places(image.width, window.width);
    const rows = places(image.height, window.height);
    if (!(columns >= 1 && rows >= 1)) {
      throw new UserError(
        `A picture of ${image.width}×${image.height} pixels is too small for ${name}, which ` +
          `scores windows of ${window.width - 2 * frame}×${window.height - 2 * frame}.`,
      );
    }
    if (rows * columns > MAX_WINDOWS) {
      throw new UserError(`A map of ${columns} × ${rows} windows is too large: raise the stride.`);
    }
    const { width, height } = window;
    // Windows that hardly overlap have nothing to share.
    if (this.dense && stride < width) {
      const places = { rows, columns, stride, frame };
      const pixels = fitted(image, window);
      const more = this.#labels(1, options);
      const values = await denseMap(this.network, pixels, image, places, more, options);
      const first = { x: -frame, y: -frame, width, height };
      return { meaning: this.info.scores as ScoreMeaning, values, rows, columns, stride, first };
    }
    const at = (k: number): Rectangle => ({
      x: (k % columns) * stride - frame,
      y: Math.floor(k / columns) * stride - frame,
      width,
      height,
    });
    const scores = await this.#cuts(image, at, rows * columns, options);
    return { ...scores, rows, columns, stride, first: at(0) };
  }

  #cuts(
    picture: Picture,
    rectangle: (k: number) => Rectangle,
    count: number,
    options: ScoreOptions,
  ): Promise<Scores> {
    const { image } = this.info;
    const pixels = fitted(picture, image);
    const size = product(imageShape(this.info));
    const batch = (at: number, n: number): Float32Array => {
      const data = new Float32Array(n * size);
      for (let k = 0; k < n; k++) {
        cut(pixels, picture, rectangle(at + k), image, data.subarray(k * size, (k + 1) * size));
      }
      return data;
    };
    return this.#run(batch, count, options);
  }

  async #run(data: Feed['data'], count: number, options: ScoreOptions): Promise<Scores> {
    const { input, scores } = this.info;
    const images: Feed = { name: input, shape: imageShape(this.info), data };
    const feeds = [images, ...this.#labels(count, options)];
    const values = await runBatches(this.network, feeds, [1], count, options);
    return { meaning: scores as ScoreMeaning, values };
  }

  /** The input of classes, of a model that has one. */
  #labels(count: number, { labels }: ScoreOptions): Feed[] {
    const { condition, name } = this.info;
    if (condition === undefined && labels === undefined) return [];
    if (condition === undefined) {
      throw new UserError(`${name} has no classes, so it takes no labels.`);
    }
    if (labels === undefined) {
      throw new UserError(`${name} judges an image together with its class: give labels.`);
    }
    return [oneHot(this.info, labels, count)];
  }

  #check(picture: Picture, { x, y, width, height }: Rectangle): void {
    const { image, fragment } = this.info;
    const shown = `${x},${y},${width},${height}`;
    if (![x, y].every(Number.isFinite) || !(width > 0 && height > 0)) {
      throw new UserError(`The rectangle ${shown} is empty: it is x, y, width, height in pixels.`);
    }
    // How far a frame may reach out, in pixels of the picture.
    const [beyondX, beyondY] = [width / image.width, height / image.height].map(
      (scale) => (fragment?.frame ?? 0) * scale,
    ) as [number, number];
    const within = (from: number, length: number, side: number, beyond: number) =>
      from >= -beyond && from + length <= side + beyond;
    if (!within(x, width, picture.width, beyondX) || !within(y, height, picture.height, beyondY)) {
      throw new UserError(
        `The rectangle ${shown} is not within the picture of ${picture.width}×${picture.height}.`,
      );
    }
  }

  /** The values of images in the range of this model. */
  #inRange(images: Images): Float32Array {
    const shape = imageShape(this.info);
    const size = [images.height, images.width, images.channels];
    if (size.join() !== shape.join()) {
      throw new UserError(
        `${this.info.name} takes images of ${shape.join('×')}, not ${size.join('×')}.`,
      );
    }
    const { range } = this.info.image;
    const [low, high] = images.range;
    if (low === range[0] && high === range[1]) return images.data;
    const scale = (range[1] - range[0]) / (high - low);
    return images.data.map((value) => range[0] + (value - low) * scale);
  }
}
