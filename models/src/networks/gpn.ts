import {
  batchNorm,
  conv,
  deconv,
  dense,
  detail,
  dropout,
  leakyRelu,
  relu,
  reshape,
  tanh,
} from '../layers/index.js';
import {
  type LayerMaker,
  type Network,
  NetworkError,
  type NetworkOptions,
  sequential,
} from '../network.js';

/**
 * Draws images from latents, 28×28 and grey by default; their sides are multiples of 4. Because of
 * tanh, values can be outside the data's range [0, 1].
 */
export const gpnGenerator = ({ latentSize, image, width = 1 }: NetworkOptions): Network => {
  const { height, width: across, channels } = image ?? { height: 28, width: 28, channels: 1 };
  const start = [Math.floor(height / 4), Math.floor(across / 4), 32 * width] as const;
  return sequential(
    [latentSize],
    [
      ...[dense(start[0] * start[1] * start[2]), relu(), reshape(() => start)], // 7×7
      deconv(3, 2, 'same', 16 * width, { bias: true }), //                         14×14
      ...[deconv(3, 2, 'same', channels, { bias: true }), tanh()], //              28×28
    ],
  );
};

const sizesOf = ({ fragment = { internal: 2, frame: 1 }, image }: NetworkOptions) => ({
  side: fragment.internal + 2 * fragment.frame,
  step: fragment.stride ?? 1,
  channels: image?.channels ?? 1,
});

/**
 * The discriminator of fragments. Its fully connected layers are written as convolutions that cover
 * what is left of a fragment, so that the same weights can slide over a whole image. Its output is
 * two logits: fake, real.
 */
export const gpnDiscriminator = (options: NetworkOptions): Network => {
  const { side, channels, step } = sizesOf(options);
  checkStride(step, 1);
  const { spectralNorm: spectral, width = 1 } = options;
  const weights = { spectral, bias: true };
  return sequential(
    [side, side, channels],
    [
      ...[conv(2, 1, 0, 16 * width, weights), relu()],
      ...[conv(2, 1, 0, 32 * width, weights), relu()],
      ...[conv(side - 2, 1, 0, 64 * width, weights), relu(), dropout(0.4)], // 1×1
      conv(1, 1, 0, 2, weights),
    ],
  );
};

/**
 * The same for large fragments: convolutions of stride 2 while more than 5 pixels are left, and then
 * one over the rest. None of them leaves out a pixel of a fragment. Therefore, with `dense`, the same
 * weights at stride 1, dilated by the product of the strides before them, give the logits of the
 * fragment at every position of an image. With `fragment.stride` the first strides stay, up to this
 * product: positions are so many pixels apart, and a map takes a fraction of the time.
 */
export const gpnLargeDiscriminator = (options: NetworkOptions): Network => large(options, []);

/**
 * A deeper one, to learn from patches, where overlapping fragments share their work: three stages of
 * convolutions of 3×3 with 24, 48 and 96 maps (or as the recipe's width says), a stride of 2 before the second
 * and the third, and then as many as the fragment needs; one of 40 pixels needs none. With batch normalisation
 * it learns faster by far.
 */
export const gpnDeepDiscriminator = (options: NetworkOptions): Network => {
  const { side, channels, step } = sizesOf(options);
  const { spectralNorm: spectral, batchNorm: normalized, width = 1, dense = false } = options;
  const layers: LayerMaker[] = [detail()];
  let left = side - 2; //                                                         38
  let maps = (options.baseChannels ?? 24) * width;
  let [apart, kept] = [1, 1];
  const convolution = (k: number, stride: number) => {
    const own = dense && kept * stride > step ? 1 : stride;
    const dilation = apart / kept;
    layers.push(conv(k, own, 0, maps, { spectral, bias: !normalized, dilation }));
    layers.push(...(normalized ? [batchNorm()] : []), leakyRelu(0.2));
    left = (left - k) / stride + 1;
    apart *= stride;
    kept *= own;
  };
  for (let stage = 0; stage < STAGES && left > 5; stage++) {
    if (stage > 0) {
      maps *= 2;
      convolution(left % 2 === 0 ? 4 : 5, 2); //                                  16, 5
    }
    for (let k = 0; k < FINE && left > 2; k++) convolution(3, 1); //              34, 12, 1
  }
  while (left > 1) convolution(Math.min(left, 3), 1);
  checkStride(step, apart);
  return sequential(
    [side, side, channels],
    [...layers, conv(1, 1, 0, 2, { spectral, bias: true })],
  );
};
const STAGES = 3;

/** Convolutions of 3×3 of a stage, and those of a detail network before its strides. */
const FINE = 2;

/**
 * The same, which sees the detail of a fragment beside its pixels: where contrasts are low, as in textures and
 * photographs, what tampering leaves is small beside the pixels' own values. Two convolutions come before the
 * first stride, because the seam of a copy lies between two neighbours.
 */
export const gpnDetailDiscriminator = (options: NetworkOptions): Network =>
  large(options, [detail()], FINE);

/**
 * @param first what comes before the convolutions; each leaves out a pixel on every side
 * @param fine how many convolutions of 3×3 come before those with strides, with half their maps
 */
function large(options: NetworkOptions, first: readonly LayerMaker[], fine = 0): Network {
  const { side, channels, step } = sizesOf(options);
  const { spectralNorm: spectral, width = 1, dense: slides = false } = options;
  const layers: LayerMaker[] = [...first];
  let left = side - 2 * first.length; //                                         22
  /** Pixels of the image between neighbours here, in a fragment and in what this network gives. */
  let apart = 1;
  let kept = 1;
  let maps = 32 * width;
  const convolution = (k: number, stride: number, out: number) => {
    const own = slides && kept * stride > step ? 1 : stride;
    const dilation = apart / kept;
    layers.push(conv(k, own, 0, out, { spectral, bias: true, dilation }), leakyRelu(0.2));
    left = (left - k) / stride + 1;
    apart *= stride;
    kept *= own;
  };
  for (let k = 0; k < fine && left > 5; k++) convolution(3, 1, maps / 2);
  while (left > 5) {
    convolution(left % 2 === 0 ? 4 : 5, 2, maps); //                              10, 4
    maps *= 2;
  }
  convolution(left, 1, maps); //                                                  1
  checkStride(step, apart);
  return sequential(
    [side, side, channels],
    [...layers, conv(1, 1, 0, 2, { spectral, bias: true })],
  );
}

/** @throws NetworkError unless the strides of a network, whose product is `most`, can keep this one */
function checkStride(step: number, most: number): void {
  if (Number.isInteger(Math.log2(step)) && step <= most) return;
  const strides = Array.from({ length: Math.log2(most) + 1 }, (_, k) => 2 ** k);
  throw new NetworkError('fragment', strides.join(' or '));
}
