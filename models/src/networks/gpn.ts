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
export const gpnLargeDiscriminator = (options: NetworkOptions): Network =>
  sliding(options, [], (side) => halvings(side, 32));

/**
 * The same, which sees the detail of a fragment beside its pixels: where contrasts are low, as in textures and
 * photographs, what tampering leaves is small beside the pixels' own values. Two convolutions come before the
 * first stride, because the seam of a copy lies between two neighbours.
 */
export const gpnDetailDiscriminator = (options: NetworkOptions): Network =>
  sliding(options, [detail()], (side) => halvings(side, 32, FINE));

/**
 * A deeper one, to learn from patches, where overlapping fragments share their work. In three stages it has
 * 24, 48 and 96 maps, or as the recipe's width says.
 */
export const gpnDeepDiscriminator = (options: NetworkOptions): Network =>
  sliding(
    options,
    [detail()],
    (side) => stages(side, options.baseChannels ?? 24),
    options.batchNorm,
  );

/** Convolutions of 3×3 before the strides of a detail network, and of each stage of a deep one. */
const FINE = 2;
const STAGES = 3;
/** The largest side that one convolution covers at the end. */
const LAST = 5;

/** A convolution of k×k without padding: k, its stride and its maps. */
type Convolution = readonly [k: number, stride: number, maps: number];

/** How wide a convolution of stride 2 is, so that it leaves out no pixel. */
const wide = (left: number): number => (left % 2 === 0 ? 4 : 5);

/**
 * Convolutions from so many pixels to one: strides while more than 5 are left, and one over the rest.
 * @param fine how many of 3×3 come before, with half the maps
 */
function halvings(left: number, maps: number, fine = 0): Convolution[] {
  if (left <= LAST) return [[left, 1, maps]]; //                                  4 → 1
  if (fine > 0) return [[3, 1, maps / 2], ...halvings(left - 2, maps, fine - 1)];
  const k = wide(left); //                                                        22 → 10 → 4
  return [[k, 2, maps], ...halvings((left - k) / 2 + 1, 2 * maps)];
}

/**
 * Convolutions from so many pixels to one: two of 3×3 in each stage, a stride of 2 before the second and the
 * third, and then as many of 3×3 as are needed.
 */
function stages(left: number, maps: number, stage = 1): Convolution[] {
  const found: Convolution[] = [];
  let side = left; //                                                             38
  for (; side > 2 && found.length < FINE; side -= 2) found.push([3, 1, maps]); // 34, 12, 1
  if (stage < STAGES && side > LAST) {
    const k = wide(side); //                                                      16, 5
    return [...found, [k, 2, 2 * maps], ...stages((side - k) / 2 + 1, 2 * maps, stage + 1)];
  }
  for (; side > 1; side -= Math.min(side, 3) - 1) found.push([Math.min(side, 3), 1, maps]);
  return found;
}

/**
 * A discriminator of convolutions that can slide over an image.
 * @param first what comes before them; each leaves out a pixel on every side
 * @param convolutions from the side that is left to one pixel, their maps at a width of 1
 */
function sliding(
  options: NetworkOptions,
  first: readonly LayerMaker[],
  convolutions: (left: number) => readonly Convolution[],
  normalized = false,
): Network {
  const { side, channels, step } = sizesOf(options);
  const { spectralNorm: spectral, width = 1, dense: slides = false } = options;
  /** Pixels of the image between neighbours here, in a fragment and in what this network gives. */
  let [apart, kept] = [1, 1];
  const layers = convolutions(side - 2 * first.length).flatMap(([k, stride, maps]) => {
    const own = slides && kept * stride > step ? 1 : stride;
    const dilation = apart / kept;
    apart *= stride;
    kept *= own;
    const weights = { spectral, bias: !normalized, dilation };
    return [
      conv(k, own, 0, maps * width, weights),
      ...(normalized ? [batchNorm()] : []),
      leakyRelu(0.2),
    ];
  });
  checkStride(step, apart);
  return sequential(
    [side, side, channels],
    [...first, ...layers, conv(1, 1, 0, 2, { spectral, bias: true })],
  );
}

/** @throws NetworkError unless the strides of a network, whose product is `most`, can keep this one */
function checkStride(step: number, most: number): void {
  if (Number.isInteger(Math.log2(step)) && step <= most) return;
  const strides = Array.from({ length: Math.log2(most) + 1 }, (_, k) => 2 ** k);
  throw new NetworkError('fragment', strides.join(' or '));
}
