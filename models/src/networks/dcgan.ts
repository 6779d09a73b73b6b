import {
  batchNorm,
  branches,
  conv,
  deconv,
  flatten,
  joined,
  leakyRelu,
  pixel,
  relu,
  sigmoid,
} from '../layers/index.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

/**
 * The generator of a small DCGAN for 28×28 grey images in [0, 1] (Radford et al. 2016). Side inputs
 * are appended to the latents.
 */
export const dcganGenerator = ({
  latentSize,
  conditions,
  width = 1,
}: Pick<NetworkOptions, 'latentSize' | 'conditions' | 'width'>): Network =>
  sequential(
    [latentSize],
    [
      ...[...joined(conditions), pixel()], //                    1×1
      ...[deconv(4, 1, 0, 128 * width), batchNorm(), relu()], // 4×4
      ...[deconv(4, 2, 1, 64 * width), batchNorm(), relu()], //  8×8
      ...[deconv(2, 2, 1, 32 * width), batchNorm(), relu()], //  14×14
      ...[deconv(2, 2, 0, 1), sigmoid()], //                     28×28
    ],
  );

type BodyOptions = Pick<NetworkOptions, 'batchNorm' | 'spectralNorm' | 'width'>;

const body = ({ batchNorm: bn, spectralNorm: spectral, width = 1 }: BodyOptions, slope: number) => {
  const norm = bn ? [batchNorm()] : [];
  return [
    ...[conv(4, 2, 1, 32 * width, { spectral }), leakyRelu(slope)], //           14×14
    ...[conv(2, 2, 1, 64 * width, { spectral }), ...norm, leakyRelu(slope)], //  8×8
    ...[conv(4, 2, 1, 128 * width, { spectral }), ...norm, leakyRelu(slope)], // 4×4
  ];
};

/** Its discriminator; the output is one logit per image. Labels are further channels of the image. */
export const dcganDiscriminator = (options: NetworkOptions): Network =>
  sequential(
    [28, 28, options.image?.channels ?? 1],
    [
      ...joined(options.conditions),
      ...body(options, 0.2), //                                                  4×4
      ...[conv(4, 1, 0, 1, { spectral: options.spectralNorm }), flatten()], //   1
    ],
  );

/**
 * InfoGAN's discriminator and its network Q on a shared body (Chen et al. 2016). The output is a
 * vector: a logit, the logits of the categories, the means of the codes and, optionally, the
 * logarithms of their variances.
 */
export const infoganDiscriminator = (options: NetworkOptions): Network => {
  const spectral = options.spectralNorm;
  const { categories = 10, codes = 2 } = options.conditions ?? {};
  const head = (size: number, bias = true) => conv(4, 1, 0, size, { spectral, bias });
  return sequential(
    [28, 28, 1],
    [
      ...body(options, 0.1), // 4×4
      branches({
        judge: head(1, false),
        category: head(categories),
        code: head(codes),
        ...(options.codeVariance && { variance: head(codes) }),
      }),
    ],
  );
};
