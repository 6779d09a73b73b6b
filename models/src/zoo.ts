import type { Network } from './network.js';
import { dcganDiscriminator, dcganGenerator } from './networks/dcgan.js';

/** What a recipe may choose about its networks. */
export interface NetworkOptions {
  readonly latentSize: number;
  readonly batchNorm: boolean;
  readonly spectralNorm: boolean;
  /** Scales the channels of the layers between: tests use an eighth. */
  readonly width?: number;
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
