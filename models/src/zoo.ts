import type { Network, NetworkOptions } from './network.js';
import { dcganDiscriminator, dcganGenerator } from './networks/dcgan.js';

export interface Pair {
  readonly generator: Network;
  readonly discriminator: Network;
}

/** The pairs of networks by the names that recipes use. */
export const NETWORKS: Readonly<Record<string, (options: NetworkOptions) => Pair>> = {
  'dcgan-mnist': (options) => ({
    generator: dcganGenerator(options),
    discriminator: dcganDiscriminator(options),
  }),
};
