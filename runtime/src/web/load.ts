/** Generators and discriminators in a browser: fetched, and run by onnxruntime-web. */
import { Discriminator as Scorer } from '../model/discriminator.js';
import { Generator as Drawer } from '../model/generator.js';
import { type LoadOptions, loaderOf } from '../model/load.js';
import { openSession } from './session.js';
import { readSource, type Source } from './source.js';

const load = loaderOf<Source>({ read: readSource, open: openSession });

export class Generator extends Drawer {
  /**
   * @param source a URL, which may be relative to the page, bytes or a blob
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Generator> {
    return new Generator(await load(source, ['generator'], options));
  }
}

export class Discriminator extends Scorer {
  /**
   * @param source a URL, which may be relative to the page, bytes or a blob
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Discriminator> {
    return new Discriminator(await load(source, ['discriminator', 'critic'], options));
  }
}
