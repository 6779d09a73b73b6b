/** Generators and discriminators under Node, run by onnxruntime-node. */

import { KINDS } from '../format/model-info.js';
import { DiscriminatorModel } from '../model/discriminator.js';
import { GeneratorModel } from '../model/generator.js';
import { type LoadOptions, loaderOf } from '../model/load.js';
import { Model } from '../model/model.js';
import { openSession } from './session.js';
import { readSource, type Source } from './source.js';

const load = loaderOf<Source>({ read: readSource, open: openSession });

/**
 * Loads a model of any kind, for what all models have in common: `info`, `device` and `verify`.
 *
 * @param source a path, a URL, bytes, a blob, or the name of a bundled model
 * @throws UserError if it cannot be loaded; the signal's reason if it stops
 */
export const loadModel = async (source: Source, options: LoadOptions = {}): Promise<Model> =>
  new Model(await load(source, KINDS, options));

/** A trained generator. It draws images. */
export class Generator extends GeneratorModel {
  /**
   * Loads a model and opens it on a device.
   *
   * @param source a path, a URL, bytes, a blob, or the name of a bundled model
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
   * @param source a path, a URL, bytes, a blob, or the name of a bundled model
   * @throws UserError if it cannot be loaded or is of another kind; the signal's reason if it stops
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Discriminator> {
    return new Discriminator(await load(source, ['discriminator', 'critic'], options));
  }
}
