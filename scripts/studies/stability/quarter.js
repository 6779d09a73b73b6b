/**
 * The networks of the published small protocol: those of Metz et al. (2017, appendix C) as Lin et al. (2018)
 * have them, in which the discriminator has a quarter of the filters, so that methods differ. `model.width`
 * is the number of its first ones: 2 for a quarter, 4 for a half, 8 for all.
 */
import {
  batchNorm,
  conv,
  deconv,
  dense,
  flatten,
  leakyRelu,
  relu,
  reshape,
  sequential,
  sigmoid,
  tanh,
} from '@gpn/models/layers';

const SLOPE = 0.3;

const generator = ({ latentSize, image, range: [low] }) =>
  sequential(
    [latentSize],
    [
      ...[dense(4 * 4 * 64), batchNorm(), relu(), reshape(() => [4, 4, 64])], // 4×4
      ...[deconv(3, 2, 1, 32), batchNorm(), relu()], //                          7×7
      ...[deconv(3, 2, 'same', 16), batchNorm(), relu()], //                     14×14
      ...[deconv(3, 2, 'same', 8), batchNorm(), relu()], //                      28×28
      ...[conv(3, 1, 1, image.channels), low < 0 ? tanh() : sigmoid()],
    ],
  );

const discriminator = (options) => {
  const { image, baseChannels: filters = 2, spectralNorm: spectral } = options;
  const norm = options.batchNorm ? [batchNorm()] : [];
  return sequential(
    [image.height, image.width, image.channels],
    [
      ...[conv(3, 2, 1, filters, { spectral }), ...norm, leakyRelu(SLOPE)], //     14×14
      ...[conv(3, 2, 1, 2 * filters, { spectral }), ...norm, leakyRelu(SLOPE)], // 7×7
      ...[conv(3, 2, 1, 4 * filters, { spectral }), ...norm, leakyRelu(SLOPE)], // 4×4
      ...[flatten(), dense(1, { spectral })],
    ],
  );
};

export default (options) => ({
  generator: generator(options),
  discriminator: discriminator(options),
});
