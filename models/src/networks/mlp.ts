import { batchNorm, dense, flatten, joined, leakyRelu, reshape, tanh } from '../layers/index.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

const image = () => reshape(() => [28, 28, 1]);

/** A fully connected generator of 28×28 grey images in [−1, 1]; labels are appended to the latents. */
export const mlpGenerator = ({ latentSize, conditions, width = 1 }: NetworkOptions): Network =>
  sequential(
    [latentSize],
    [
      ...joined(conditions),
      ...[dense(128 * width), leakyRelu(0.2)],
      ...[dense(256 * width), batchNorm(), leakyRelu(0.2)],
      ...[dense(512 * width), batchNorm(), leakyRelu(0.2)],
      ...[dense(1024 * width), batchNorm(), leakyRelu(0.2)],
      ...[dense(784), tanh(), image()],
    ],
  );

/** Its discriminator; labels are appended to the pixels. */
export const mlpDiscriminator = (options: NetworkOptions): Network => {
  const { spectralNorm: spectral, conditions, width = 1 } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [28, 28, options.image?.channels ?? 1],
    [
      ...[flatten(), ...joined(conditions)],
      ...[dense(512 * width, { spectral }), leakyRelu(0.2)],
      ...[dense(256 * width, { spectral }), ...norm, leakyRelu(0.2)],
      dense(1, { spectral }),
    ],
  );
};

/** The generator of the smallest pair, which learns a single digit in minutes. */
export const tinyMlpGenerator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential(
    [latentSize],
    [
      ...[dense(128 * width), leakyRelu(0.01)],
      ...[dense(512 * width), leakyRelu(0.01)],
      ...[dense(784), tanh(), image()],
    ],
  );

/** Its discriminator; the output is one logit per image. */
export const tinyMlpDiscriminator = (options: NetworkOptions): Network => {
  const { spectralNorm: spectral, width = 1 } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [28, 28, options.image?.channels ?? 1],
    [
      flatten(),
      ...[dense(256 * width, { spectral }), ...norm, leakyRelu(0.01)],
      dense(1, { spectral }),
    ],
  );
};
