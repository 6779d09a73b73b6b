import type { Network } from './network.js';
import { dcganDiscriminator, dcganGenerator } from './networks/dcgan.js';

/** What a recipe may choose about its networks. */
export interface NetworkOptions {
  readonly latentSize: number;
  readonly batchNorm: boolean;
  readonly spectralNorm: boolean;
}

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
