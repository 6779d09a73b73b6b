import { type Feed, type Network, runBatches } from './batches.js';
import { type Verification, verifyCertificate } from './certificate.js';
import type { Device } from './devices.js';
import { UserError } from './errors.js';
import { type LoadOptions, loadNetwork } from './generator.js';
import { Images } from './images.js';
import { oneHot } from './inputs.js';
import type { ModelInfo, ScoreMeaning } from './model-info.js';
import type { Source } from './source.js';

export interface ScoreOptions {
  /** Of a conditional discriminator: one class for all images, or one for each. */
  labels?: number | ArrayLike<number>;
  /** Images in one run; 64 unless given. */
  batchSize?: number;
}

export interface Scores {
  meaning: ScoreMeaning;
  /** One for each image. */
  values: Float32Array;
}

/** A trained discriminator or critic: scores images. */
export class Discriminator {
  readonly #network: Network;

  private constructor(network: Network) {
    this.#network = network;
  }

  /**
   * @param source a path, a URL, bytes, or the name of a bundled model
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Discriminator> {
    return new Discriminator(await loadNetwork(source, ['discriminator', 'critic'], options));
  }

  /** What the model says of itself. */
  get info(): ModelInfo {
    return this.#network.info;
  }

  get device(): Device {
    return this.#network.session.device;
  }

  /** Why this device was taken. */
  get reason(): string {
    return this.#network.session.reason;
  }

  /**
   * Scores images of the size that the model was made for.
   *
   * @param images [N, height, width, channels], a plain array in the model's own range
   * @throws UserError where the images are of another size
   */
  async score(images: Images | Float32Array, options: ScoreOptions = {}): Promise<Scores> {
    const { image, input, condition, scores, name } = this.info;
    const { height, width, channels } = image;
    const data = images instanceof Images ? this.#inRange(images) : images;
    const count = data.length / (height * width * channels);
    if (!Number.isInteger(count) || count === 0) {
      throw new UserError(
        `${data.length} values are not images of ${height}×${width}×${channels}, as ${name} takes.`,
      );
    }
    const feeds: Feed[] = [{ name: input, shape: [height, width, channels], data }];
    if (condition !== undefined) {
      if (options.labels === undefined) {
        throw new UserError(`${name} judges an image together with its class: give labels.`);
      }
      feeds.push(oneHot(this.info, options.labels, count));
    }
    const values = await runBatches(this.#network, feeds, [1], count, options.batchSize);
    return { meaning: scores as ScoreMeaning, values };
  }

  /** The values of images in the range of this model. */
  #inRange(images: Images): Float32Array {
    const { height, width, channels, range } = this.info.image;
    const size = [images.height, images.width, images.channels];
    if (size.join() !== [height, width, channels].join()) {
      throw new UserError(
        `${this.info.name} takes images of ${height}×${width}×${channels}, not ${size.join('×')}.`,
      );
    }
    const [low, high] = images.range;
    if (low === range[0] && high === range[1]) return images.data;
    const scale = (range[1] - range[0]) / (high - low);
    return images.data.map((value) => range[0] + (value - low) * scale);
  }

  /** Checks on this machine the values that the exporting machine computed. */
  verify(): Promise<Verification> {
    return verifyCertificate(this.#network);
  }

  /** Frees the model's memory. */
  dispose(): Promise<void> {
    return this.#network.session.dispose();
  }
}
