import { batchNorm, conv, deconv, flatten, leakyRelu, pixel, relu, sigmoid } from '../layers.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

/** A small DCGAN's generator for 28×28 grey images in [0, 1] (Radford et al. 2016). */
export const dcganGenerator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential(
    [latentSize],
    [
      pixel(), //                                      1×1
      ...[deconv(4, 1, 0, 128 * width), batchNorm(), relu()], // 4×4
      ...[deconv(4, 2, 1, 64 * width), batchNorm(), relu()], //  8×8
      ...[deconv(2, 2, 1, 32 * width), batchNorm(), relu()], //  14×14
      ...[deconv(2, 2, 0, 1), sigmoid()], //             28×28
    ],
  );

/** Its discriminator; the output is one logit an image. */
export const dcganDiscriminator = (options: NetworkOptions): Network => {
  const { spectralNorm: spectral, width = 1 } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [28, 28, 1],
    [
      ...[conv(4, 2, 1, 32 * width, { spectral }), leakyRelu(0.2)], //           14×14
      ...[conv(2, 2, 1, 64 * width, { spectral }), ...norm, leakyRelu(0.2)], //  8×8
      ...[conv(4, 2, 1, 128 * width, { spectral }), ...norm, leakyRelu(0.2)], // 4×4
      ...[conv(4, 1, 0, 1, { spectral }), flatten()], //                 1
    ],
  );
};
