import {
  averagePool,
  batchNorm,
  conv,
  deconv,
  dense,
  flatten,
  joined,
  leakyRelu,
  relu,
  reshape,
  tanh,
} from '../layers/index.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

/** The generator of a wide conditional DCGAN for 28×28 grey images in [−1, 1]. */
export const cdcganLargeGenerator = (options: NetworkOptions): Network => {
  const { latentSize, conditions, width = 1 } = options;
  return sequential(
    [latentSize],
    [
      ...joined(conditions),
      ...[dense(4 * 4 * 512 * width), relu(), reshape(() => [4, 4, 512 * width])], // 4×4
      ...[deconv(3, 2, 1, 256 * width), batchNorm(), relu()], //                      7×7
      ...[deconv(4, 2, 1, 128 * width), batchNorm(), relu()], //                      14×14
      ...[deconv(4, 2, 1, 1), tanh()], //                                             28×28
    ],
  );
};

/** Its discriminator combines image and label in a fully connected layer before it convolves. */
export const cdcganLargeDiscriminator = (options: NetworkOptions): Network => {
  const { spectralNorm: spectral, conditions, width = 1 } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [28, 28, options.image?.channels ?? 1],
    [
      ...[flatten(), ...joined(conditions)],
      ...[dense(784, { spectral }), leakyRelu(0.2), reshape(() => [28, 28, 1])], // 28×28
      ...[conv(3, 2, 1, 512 * width, { spectral }), ...norm, leakyRelu(0.2)], //    14×14
      ...[conv(3, 2, 1, 256 * width, { spectral }), ...norm, leakyRelu(0.2)], //    7×7
      ...[conv(3, 2, 1, 128 * width, { spectral }), ...norm, leakyRelu(0.2)], //    4×4
      ...[averagePool(4), flatten(), dense(1, { spectral })], //                    1
    ],
  );
};
