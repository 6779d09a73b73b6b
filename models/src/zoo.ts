import { type Network, NetworkError, type NetworkOptions } from './network.js';
import { beganDiscriminator, beganGenerator } from './networks/began.js';
import { cdcganLargeDiscriminator, cdcganLargeGenerator } from './networks/cdcgan-large.js';
import { dcganDiscriminator, dcganGenerator, infoganDiscriminator } from './networks/dcgan.js';
import { dcgan64Discriminator, dcgan64Generator } from './networks/dcgan-64.js';
import { anyDcganDiscriminator, anyDcganGenerator } from './networks/dcgan-any-size.js';
import {
  gpnDeepDiscriminator,
  gpnDetailDiscriminator,
  gpnDiscriminator,
  gpnGenerator,
  gpnLargeDiscriminator,
} from './networks/gpn.js';
import {
  mlpDiscriminator,
  mlpGenerator,
  tinyMlpDiscriminator,
  tinyMlpGenerator,
} from './networks/mlp.js';
import { resnetDiscriminator, resnetGenerator } from './networks/resnet.js';

/** A generator and its discriminator. */
export interface Pair {
  readonly generator: Network;
  readonly discriminator: Network;
}

type MakeNetwork = (options: NetworkOptions) => Network;

/** A pair of networks whose channels the recipe may choose. */
const family =
  (generator: MakeNetwork, discriminator: MakeNetwork) =>
  (options: NetworkOptions): Pair => ({
    generator: generator(options),
    discriminator: discriminator(options),
  });

/** A pair of networks as a paper gives it. */
const pair = (generator: MakeNetwork, discriminator: MakeNetwork) => {
  const make = family(generator, discriminator);
  return (options: NetworkOptions): Pair => {
    if (options.baseChannels === undefined) return make(options);
    throw new NetworkError('baseChannels', 'left out: the channels of these networks are fixed');
  };
};

/** All pairs of networks, by the names that recipes use. */
export const NETWORKS: Readonly<Record<string, (options: NetworkOptions) => Pair>> = {
  'began-mnist': pair(beganGenerator, beganDiscriminator),
  'cdcgan-mnist-large': pair(cdcganLargeGenerator, cdcganLargeDiscriminator),
  dcgan: family(anyDcganGenerator, anyDcganDiscriminator),
  'dcgan-64': pair(dcgan64Generator, dcgan64Discriminator),
  'dcgan-mnist': pair(dcganGenerator, dcganDiscriminator),
  gpn: pair(gpnGenerator, gpnLargeDiscriminator),
  'gpn-deep': family(gpnGenerator, gpnDeepDiscriminator),
  'gpn-detail': pair(gpnGenerator, gpnDetailDiscriminator),
  'gpn-mnist': pair(gpnGenerator, gpnDiscriminator),
  'gpn-mnist-large': pair(dcganGenerator, gpnLargeDiscriminator),
  'infogan-mnist': pair(dcganGenerator, infoganDiscriminator),
  'mlp-digit': pair(tinyMlpGenerator, tinyMlpDiscriminator),
  'mlp-mnist': pair(mlpGenerator, mlpDiscriminator),
  resnet: family(resnetGenerator, resnetDiscriminator),
};
