import {
  batchNorm,
  conv,
  deconv,
  flatten,
  joined,
  leakyRelu,
  pixel,
  relu,
} from '../layers/index.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';
import { channelsOf, intoRange, square } from './any-size.js';

/** Channels of the maps of half the image's side, where most of the time goes. */
const widthOf = ({ image, baseChannels, width = 1 }: NetworkOptions): number =>
  (baseChannels ?? ((image?.height ?? 28) < 64 ? 32 : 64)) * width;

/**
 * The generator of a DCGAN for square images (Radford et al. 2016), with the sizes of 32×32 in the
 * comments. Side inputs are appended to the latents.
 */
export const anyDcganGenerator = (options: NetworkOptions): Network => {
  const { base, halvings, channels } = square(options);
  const [smallest = 0, ...larger] = channelsOf(widthOf(options), halvings).reverse();
  return sequential(
    [options.latentSize],
    [
      ...[...joined(options.conditions), pixel()], //                           1×1
      ...[deconv(base, 1, 0, smallest), batchNorm(), relu()], //                4×4
      ...larger.flatMap((maps) => [deconv(4, 2, 1, maps), batchNorm(), relu()]), // 8×8, 16×16
      ...[deconv(4, 2, 1, channels), intoRange(options)], //                    32×32
    ],
  );
};

/** Its discriminator; the output is one logit per image. Labels are further channels of the image. */
export const anyDcganDiscriminator = (options: NetworkOptions): Network => {
  const { base, halvings, channels } = square(options);
  const { image, spectralNorm: spectral } = options;
  const side = image?.height ?? 28;
  const [largest = 0, ...smaller] = channelsOf(widthOf(options), halvings);
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [side, side, channels],
    [
      ...joined(options.conditions),
      ...[conv(4, 2, 1, largest, { spectral }), leakyRelu(0.2)], //             16×16
      ...smaller.flatMap((maps) => [
        ...[conv(4, 2, 1, maps, { spectral }), ...norm, leakyRelu(0.2)], //      8×8, 4×4
      ]),
      ...[conv(base, 1, 0, 1, { spectral }), flatten()], //                     1
    ],
  );
};
