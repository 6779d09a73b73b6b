/** Generators and discriminators under Node: read from files, run by onnxruntime-node. */

import { KINDS } from '../format/model-info.js';
import { Discriminator as Scorer } from '../model/discriminator.js';
import { Generator as Drawer } from '../model/generator.js';
import { type LoadOptions, loaderOf } from '../model/load.js';
import { Model } from '../model/model.js';
import { openSession } from './session.js';
import { readSource, type Source } from './source.js';

const load = loaderOf<Source>({ read: readSource, open: openSession });

/**
 * A model of any kind, for what all have in common: what it says of itself, and `verify`.
 *
 * @param source a path, a URL, bytes, a blob, or the name of a bundled model
 * @throws UserError where it cannot be loaded, in one sentence
 */
export const loadModel = async (source: Source, options: LoadOptions = {}): Promise<Model> =>
  new Model(await load(source, KINDS, options));

export class Generator extends Drawer {
  /**
   * @param source a path, a URL, bytes, a blob, or the name of a bundled model
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Generator> {
    return new Generator(await load(source, ['generator'], options));
  }
}

export class Discriminator extends Scorer {
  /**
   * @param source a path, a URL, bytes, a blob, or the name of a bundled model
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Discriminator> {
    return new Discriminator(await load(source, ['discriminator', 'critic'], options));
  }
}
