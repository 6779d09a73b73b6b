import { Images, imageShape } from '../format/images.js';
import { runBatches } from '../session/batches.js';
import { countOf, generatorFeeds, type SampleOptions } from './inputs.js';
import { pathOf } from './interpolate.js';
import { Model } from './model.js';

/** A trained generator: draws images. */
export class Generator extends Model {
  /**
   * Draws images. The same seed gives the same latents bit for bit, on every platform.
   *
   * @throws UserError where the options make no sense for this model; the signal's reason
   */
  async sample(options: SampleOptions = {}): Promise<Images> {
    const { height, width, channels, range } = this.info.image;
    const count = countOf(this.info, options);
    const feeds = generatorFeeds(this.info, count, options);
    const data = await runBatches(this.network, feeds, imageShape(this.info), count, options);
    return new Images(count, height, width, channels, range, data);
  }

  /**
   * Draws `steps` images on the way from the first image of one seed to that of another, both ends
   * included: over the sphere for normal latents, straight for uniform ones. All are of one class,
   * 0 unless `labels` says another.
   *
   * @throws UserError where there are fewer than 2 steps
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
