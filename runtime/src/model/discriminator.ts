import { UserError } from '../errors.js';
import { Images, imageShape } from '../format/images.js';
import type { ScoreMeaning } from '../format/model-info.js';
import { channelsOf, type Picture, type Rectangle } from '../format/pictures/picture.js';
import type { Levels } from '../format/pictures/prepare.js';
import { type BatchOptions, type Feed, runBatches } from '../session/batches.js';
import { product } from '../shape.js';
import type { Windows } from './dense-map.js';
import type { Detection } from './detection/detect.js';
import type { ScoreMap, Scores } from './detection/scores.js';
import { floats, oneHot } from './inputs.js';
import { Model } from './model.js';

/** How images or rectangles are scored. */
export interface ScoreOptions extends BatchOptions {
  /**
   * Required by a conditional discriminator, and refused by others: one class for all images, or one
   * for each; whole numbers from 0.
   */
  labels?: number | ArrayLike<number>;
}

/** How a score map is computed. */
export interface MapOptions extends BatchOptions {
  /**
   * Pixels from one window to the next, from 1. The default for a discriminator of fragments is that of
   * its dense form, 1 if it names none, and otherwise a quarter of the window's shorter side, at least 1.
   */
  stride?: number;
  /** Required by a conditional discriminator: the class of all windows, a whole number from 0. */
  labels?: number;
}

/** How a picture is searched for what does not belong. */
export interface DetectOptions extends MapOptions {
  /** The probability of finding something in a normal picture, in (0, 1]; by default 0.01, or the smallest possible. */
  threshold?: number;
}

/** Loaded only where it is needed: most pages only draw. */
const detecting = () => import('./detection/detect.js');

/** A trained discriminator or critic. It scores images, rectangles of pictures and whole pictures. */
export class DiscriminatorModel extends Model {
  /** Whether the model has a dense form, so that `scoreMap` scores many windows in one pass. */
  get dense(): boolean {
    const { session, info } = this.opened;
    const input = session.inputs.find(({ name }) => name === info.input);
    // It takes pictures of any height and width.
    const sizes = input?.shape.slice(1, 3);
    return info.fragment !== undefined && sizes?.every((size) => typeof size === 'string') === true;
  }

  /**
   * Scores images of the model's size.
   *
   * @param images `Images`, or a plain array [N, height, width, channels] in the model's range
   * @returns one score for each image
   * @throws UserError if the images have another size or the options do not suit the model; the
   *   signal's reason if it stops
   */
  async score(images: Images | ArrayLike<number>, options: ScoreOptions = {}): Promise<Scores> {
    const { name } = this.info;
    const shape = imageShape(this.info);
    const data = images instanceof Images ? this.#inRange(images) : floats(images, 'images');
    const count = data.length / product(shape);
    if (!Number.isInteger(count) || count === 0) {
      throw new UserError(
        `${data.length} values are not images of ${shape.join('×')}, which ${name} takes.`,
      );
    }
    return this.#run(data, count, options);
  }

  /**
   * Scores whole pictures of any size. Each becomes an image of the model as the pictures that it was
   * trained with did: see `prepare`.
   *
   * @returns one score for each picture
   * @throws UserError if the model scores fragments (see `scoreMap`) or the options do not suit it; the
   *   signal's reason if it stops
   */
  async scorePictures(pictures: readonly Picture[], options: ScoreOptions = {}): Promise<Scores> {
    const { name, image, fragment } = this.info;
    if (fragment) throw new UserError(`${name} scores parts of pictures: take its scoreMap.`);
    if (pictures.length === 0) throw new UserError('There is no picture to score.');
    const { prepared } = await import('./pixels.js');
    return this.#prepared((k) => prepared(pictures[k] as Picture, image), pictures.length, options);
  }

  /**
   * Scores rectangles of a picture. A rectangle of the model's size, in whole pixels, is used as it
   * is; others are resampled to that size. Only the frame of a fragment may reach outside the
   * picture, where it sees black.
   *
   * @returns one score for each rectangle
   * @throws UserError if a rectangle is empty or not within the picture, or the options do not suit
   *   the model; the signal's reason if it stops
   */
  async scoreFragments(
    image: Picture,
    rectangles: readonly Rectangle[],
    options: ScoreOptions = {},
  ): Promise<Scores> {
    if (rectangles.length === 0) throw new UserError('There is no rectangle to score.');
    channelsOf(image);
    const { checkRectangle, partsOf } = await import('./pixels.js');
    for (const rectangle of rectangles) checkRectangle(image, rectangle, this.info);
    const part = partsOf(image, this.info.image);
    const make = (k: number) => part(rectangles[k] as Rectangle);
    return this.#prepared(make, rectangles.length, options);
  }

  /**
   * Scores windows of the model's size all over a picture, `stride` pixels apart, with one batch of
   * windows in memory at a time. The windows of a discriminator of fragments are placed so that the
   * internal parts of the fragments cover the picture. If such a model has a dense form, a tile of
   * the picture is scored in one pass, and `batchSize` is ignored. A detector of several scales scores the
   * reduced pictures as well, at the same stride in their pixels.
   *
   * @throws UserError if the picture is smaller than a window, or the options do not suit the model;
   *   the signal's reason if it stops
   */
  async scoreMap(image: Picture, options: MapOptions = {}): Promise<ScoreMap> {
    channelsOf(image);
    const { scoreMapOf } = await import('./detection/maps.js');
    return scoreMapOf(this.info, image, options, this.#map.bind(this));
  }

  /** @param pixels [height, width, channels] in the model's range */
  async #map(
    pixels: Float32Array,
    size: { width: number; height: number },
    places: Windows,
    options: MapOptions,
  ): Promise<ScoreMap> {
    const { image: window } = this.info;
    const { crop, denseMap } = await import('./dense-map.js');
    const { rows, columns, stride, frame } = places;
    const { width, height } = window;
    // Windows that do not overlap have no work to share.
    if (this.dense && stride < width) {
      const more = this.#labels(1, options);
      const values = await denseMap(this.opened, pixels, size, places, more, options);
      const first = { x: -frame, y: -frame, width, height };
      return { meaning: this.info.scores as ScoreMeaning, values, rows, columns, stride, first };
    }
    const at = (k: number): Rectangle => ({
      x: (k % columns) * stride - frame,
      y: Math.floor(k / columns) * stride - frame,
      width,
      height,
    });
    const copy = (k: number, out: Float32Array) => crop(pixels, size, at(k), window, out);
    const scores = await this.#filled(copy, rows * columns, options);
    return { ...scores, rows, columns, stride, first: at(0) };
  }

  /**
   * The p-value of each score, of fragments or of whole pictures, whichever the model takes: how rare so
   * suspicious a score is among normal ones.
   *
   * @throws UserError if the model is not calibrated
   */
  async pValues(scores: Scores): Promise<Float64Array> {
    return (await detecting()).pValuesOf(this.info, scores);
  }

  /**
   * Finds what does not belong into a picture, and where.
   *
   * @throws UserError if the model is not calibrated or does not score fragments, if no p-value can be as
   *   small as the threshold, or as `scoreMap` does
   */
  async detect(image: Picture, options: DetectOptions = {}): Promise<Detection> {
    return (await detecting()).detect(
      this.info,
      () => this.scoreMap(image, options),
      image,
      options,
    );
  }

  /** Scores images that are made one by one, in levels from 0 to 255. */
  async #prepared(
    make: (k: number) => Levels,
    count: number,
    options: ScoreOptions,
  ): Promise<Scores> {
    const { inRange } = await import('./pixels.js');
    const fill = (k: number, out: Float32Array) => inRange(make(k), this.info.image, out);
    return this.#filled(fill, count, options);
  }

  /** Scores images that are written one by one, with one batch of them in memory at a time. */
  #filled(
    fill: (k: number, out: Float32Array) => void,
    count: number,
    options: ScoreOptions,
  ): Promise<Scores> {
    const size = product(imageShape(this.info));
    const batch = (at: number, n: number): Float32Array => {
      const data = new Float32Array(n * size);
      for (let k = 0; k < n; k++) fill(at + k, data.subarray(k * size, (k + 1) * size));
      return data;
    };
    return this.#run(batch, count, options);
  }

  async #run(data: Feed['data'], count: number, options: ScoreOptions): Promise<Scores> {
    const { input, scores } = this.info;
    const images: Feed = { name: input, shape: imageShape(this.info), data };
    const feeds = [images, ...this.#labels(count, options)];
    const values = await runBatches(this.opened, feeds, [1], count, options);
    return { meaning: scores as ScoreMeaning, values };
  }

  /** The classes as an input, if the model has such an input. */
  #labels(count: number, { labels }: ScoreOptions): Feed[] {
    const { condition, name } = this.info;
    if (condition === undefined && labels === undefined) return [];
    if (condition === undefined) {
      throw new UserError(`${name} has no classes, so it takes no labels.`);
    }
    if (labels === undefined) {
      throw new UserError(`${name} scores an image together with its class: give labels.`);
    }
    return [oneHot(this.info, labels, count)];
  }

  /** The images' values, scaled to this model's range. */
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
