import { Images, imageShape } from '../format/images.js';
import { runBatches } from '../session/batches.js';
import { countOf, generatorFeeds, type SampleOptions } from './inputs.js';
import { pathOf } from './interpolate.js';
import { Model } from './model.js';

/** A trained generator. It draws images. */
export class GeneratorModel extends Model {
  /**
   * Draws images. The same seed gives the same latents, bit for bit, on every platform.
   *
   * @throws UserError if the options do not suit this model; the signal's reason if it stops
   */
  async sample(options: SampleOptions = {}): Promise<Images> {
    const { height, width, channels, range } = this.info.image;
    const count = countOf(this.info, options);
    const feeds = generatorFeeds(this.info, count, options);
    const data = await runBatches(this.opened, feeds, imageShape(this.info), count, options);
    return new Images(count, height, width, channels, range, data);
  }

  /**
   * Draws `steps` images on a path from the first image of one seed to that of another, including
   * both ends. Normal latents follow a great circle, uniform latents and codes a straight line. All
   * images are of one class, 0 by default.
   *
   * @param steps from 2 to 100,000
   * @throws UserError if the options do not suit this model; the signal's reason if it stops
   */
  async interpolate(
    seedA: number,
    seedB: number,
    steps: number,
    options: Omit<SampleOptions, 'count' | 'seed' | 'latents' | 'codes'> = {},
  ): Promise<Images> {
    const { condition } = this.info;
    const labels = options.labels ?? (condition && 0);
    const path = pathOf(this.info, seedA, seedB, steps);
    return this.sample({ ...options, ...path, ...(labels !== undefined && { labels }) });
  }
}
