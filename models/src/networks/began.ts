import { conv, deconv, dense, flatten, leakyRelu, pixel, relu, sigmoid } from '../layers/index.js';
import { type LayerMaker, type Network, type NetworkOptions, sequential } from '../network.js';

/** Turns a vector into a 28×28 grey image in [0, 1], without batch normalisation. */
const decoder = (width: number): LayerMaker[] => [
  pixel(), //                                                   1×1
  ...[deconv(4, 1, 0, 128 * width, { bias: true }), relu()], // 4×4
  ...[deconv(4, 2, 1, 64 * width, { bias: true }), relu()], //  8×8
  ...[deconv(2, 2, 1, 32 * width, { bias: true }), relu()], //  14×14
  ...[deconv(2, 2, 0, 1, { bias: true }), sigmoid()], //        28×28
];

/** BEGAN's generator (Berthelot et al. 2017): a decoder. */
export const beganGenerator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential([latentSize], decoder(width));

/** BEGAN's discriminator: an autoencoder, which reconstructs the image. */
export const beganDiscriminator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential(
    [28, 28, 1],
    [
      ...[conv(4, 2, 1, 32 * width, { bias: true }), leakyRelu(0.2)], //  14×14
      ...[conv(2, 2, 1, 64 * width, { bias: true }), leakyRelu(0.2)], //  8×8
      ...[conv(4, 2, 1, 128 * width, { bias: true }), leakyRelu(0.2)], // 4×4
      ...[flatten(), dense(latentSize)],
      ...decoder(width),
    ],
  );
