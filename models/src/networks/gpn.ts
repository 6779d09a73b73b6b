import { conv, deconv, dense, dropout, relu, reshape, tanh } from '../layers.js';
import { type Network, type NetworkOptions, sequential } from '../network.js';

/** Draws 28×28 grey images from latents; tanh lets values leave the data's range [0, 1]. */
export const gpnGenerator = ({ latentSize, width = 1 }: NetworkOptions): Network =>
  sequential(
    [latentSize],
    [
      ...[dense(7 * 7 * 32 * width), relu(), reshape(() => [7, 7, 32 * width])], // 7×7
      deconv(3, 2, 'same', 16 * width, { bias: true }), //                         14×14
      ...[deconv(3, 2, 'same', 1, { bias: true }), tanh()], //                      28×28
    ],
  );

/**
 * Judges fragments. Its dense layers are written as convolutions as wide as what is left of a
 * fragment, so that the same weights slide over a whole image. Two logits: fake, real.
 */
export const gpnDiscriminator = (options: NetworkOptions): Network => {
  const { fragment = { internal: 2, frame: 1 }, spectralNorm: spectral, width = 1 } = options;
  const side = fragment.internal + 2 * fragment.frame;
  const weights = { spectral, bias: true };
  return sequential(
    [side, side, 1],
    [
      ...[conv(2, 1, 0, 16 * width, weights), relu()],
      ...[conv(2, 1, 0, 32 * width, weights), relu()],
      ...[conv(side - 2, 1, 0, 64 * width, weights), relu(), dropout(0.4)], // 1×1
      conv(1, 1, 0, 2, weights),
    ],
  );
};
