/** Generators and discriminators in a browser, run by onnxruntime-web. */
import { DiscriminatorModel } from '../model/discriminator.js';
import { GeneratorModel } from '../model/generator.js';
import { type LoadOptions, loaderOf } from '../model/load.js';
import { openSession } from './session.js';
import { readSource, type Source } from './source.js';

const load = loaderOf<Source>({ read: readSource, open: openSession });

/** A trained generator. It draws images. */
export class Generator extends GeneratorModel {
  /**
   * Loads a model and opens it on a device.
   *
   * @param source a URL, which may be relative to the page, bytes or a blob
   * @throws UserError if it cannot be loaded or is of another kind; the signal's reason if it stops
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Generator> {
    return new Generator(await load(source, ['generator'], options));
  }
}

/** A trained discriminator or critic. It scores images, rectangles of pictures and whole pictures. */
export class Discriminator extends DiscriminatorModel {
  /**
   * Loads a model and opens it on a device.
   *
   * @param source a URL, which may be relative to the page, bytes or a blob
   * @throws UserError if it cannot be loaded or is of another kind; the signal's reason if it stops
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Discriminator> {
    return new Discriminator(await load(source, ['discriminator', 'critic'], options));
  }
}
