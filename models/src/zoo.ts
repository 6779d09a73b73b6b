import type { Network, NetworkOptions } from './network.js';
import { beganDiscriminator, beganGenerator } from './networks/began.js';
import { cdcganLargeDiscriminator, cdcganLargeGenerator } from './networks/cdcgan-large.js';
import { dcganDiscriminator, dcganGenerator, infoganDiscriminator } from './networks/dcgan.js';
import { dcgan64Discriminator, dcgan64Generator } from './networks/dcgan-64.js';
import { gpnDiscriminator, gpnGenerator, gpnLargeDiscriminator } from './networks/gpn.js';
import {
  mlpDiscriminator,
  mlpGenerator,
  tinyMlpDiscriminator,
  tinyMlpGenerator,
} from './networks/mlp.js';

/** A generator and its discriminator. */
export interface Pair {
  readonly generator: Network;
  readonly discriminator: Network;
}

type MakeNetwork = (options: NetworkOptions) => Network;

const pair =
  (generator: MakeNetwork, discriminator: MakeNetwork) =>
  (options: NetworkOptions): Pair => ({
    generator: generator(options),
    discriminator: discriminator(options),
  });

/** All pairs of networks, by the names that recipes use. */
export const NETWORKS: Readonly<Record<string, (options: NetworkOptions) => Pair>> = {
  'began-mnist': pair(beganGenerator, beganDiscriminator),
  'cdcgan-mnist-large': pair(cdcganLargeGenerator, cdcganLargeDiscriminator),
  'dcgan-64': pair(dcgan64Generator, dcgan64Discriminator),
  'dcgan-mnist': pair(dcganGenerator, dcganDiscriminator),
  'gpn-mnist': pair(gpnGenerator, gpnDiscriminator),
  'gpn-mnist-large': pair(dcganGenerator, gpnLargeDiscriminator),
  'infogan-mnist': pair(dcganGenerator, infoganDiscriminator),
  'mlp-digit': pair(tinyMlpGenerator, tinyMlpDiscriminator),
  'mlp-mnist': pair(mlpGenerator, mlpDiscriminator),
};
