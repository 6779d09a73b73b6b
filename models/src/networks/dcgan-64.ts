import { batchNorm, conv, deconv, flatten, leakyRelu, pixel, tanh } from '../layers/index.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

/** The generator of a DCGAN for 64×64 colour images in [−1, 1] (Radford et al. 2016). */
export const dcgan64Generator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential(
    [latentSize],
    [
      pixel(), //                                                          1×1
      ...[deconv(4, 1, 0, 512 * width), batchNorm(), leakyRelu(0.2)], //   4×4
      ...[deconv(4, 2, 1, 256 * width), batchNorm(), leakyRelu(0.2)], //   8×8
      ...[deconv(4, 2, 1, 128 * width), batchNorm(), leakyRelu(0.2)], //   16×16
      ...[deconv(4, 2, 1, 64 * width), batchNorm(), leakyRelu(0.2)], //    32×32
      ...[deconv(4, 2, 1, 3), tanh()], //                                  64×64
    ],
  );

/** Its discriminator; the output is one logit per image. */
export const dcgan64Discriminator = (options: NetworkOptions): Network => {
  const { spectralNorm: spectral, width = 1 } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [64, 64, options.image?.channels ?? 3],
    [
      ...[conv(4, 2, 1, 64 * width, { spectral }), leakyRelu(0.2)], //           32×32
      ...[conv(4, 2, 1, 128 * width, { spectral }), ...norm, leakyRelu(0.2)], // 16×16
      ...[conv(4, 2, 1, 256 * width, { spectral }), ...norm, leakyRelu(0.2)], // 8×8
      ...[conv(4, 2, 1, 512 * width, { spectral }), ...norm, leakyRelu(0.2)], // 4×4
      ...[conv(4, 1, 0, 1, { spectral }), flatten()], //                         1
    ],
  );
};
