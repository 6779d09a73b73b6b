/**
 * Residual networks without normalisation, after "The GAN is dead; long live the GAN!" (Huang et al.
 * 2024, arXiv:2501.05441). Made for pairs of losses with gradient penalties (R1, R2).
 *
 * Unlike there, the largest blocks work at half the side of the images: at the full side, where channels
 * are few, a step would take most of its time. One convolution with a stride leads there from the
 * image; two convolutions after a doubling, without a block, lead from there to it.
 */
import {
  basis,
  bias,
  conv,
  dense,
  double,
  embed,
  halve,
  leakyRelu,
  project,
  residual,
  weightedSum,
} from '../layers/index.js';
import { type LayerMaker, type Network, type NetworkOptions, sequential } from '../network.js';
import { channelsOf, intoRange, refuse, type Square, square } from './any-size.js';

const SLOPE = 0.2;
/** What keeps the variance through a leaky ReLU (He et al. 2015). */
const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));
/** A block computes with this many times its channels. */
const EXPANSION = 2;
/** Channels of a group of the 3×3 convolutions, or as near above it as divides them. */
const GROUP = 32;

const groupsOf = (channels: number): number => {
  let groups = Math.max(1, Math.floor(channels / GROUP));
  while (channels % groups !== 0) groups--;
  return groups;
};

/**
 * x + f(x), where f expands the channels, convolves in groups and contracts. It starts as x, because the
 * last weights are zeros. The more blocks there are, the less each adds at first (Zhang et al. 2019).
 */
const block = (channels: number, blocks: number): LayerMaker => {
  const inner = channels * EXPANSION;
  const gain = GAIN * blocks ** (-1 / 4);
  return residual(
    ...[conv(1, 1, 0, inner, { gain }), bias(), leakyRelu(SLOPE)],
    ...[conv(3, 1, 1, inner, { gain, groups: groupsOf(inner) }), bias(), leakyRelu(SLOPE)],
    conv(1, 1, 0, channels, { gain: 0 }),
  );
};

/** A change of channels; nothing where they stay. */
const widen = (from: number, to: number): LayerMaker[] =>
  from === to ? [] : [conv(1, 1, 0, to, { gain: 1 })];

/** The channels of the maps of each size, from half the side of the images on. */
function mapsOf(
  { baseChannels, image, width = 1 }: NetworkOptions,
  { halvings }: Square,
): number[] {
  const largest = baseChannels ?? ((image?.height ?? 28) <= 64 ? 32 : 64);
  return channelsOf(largest * width, halvings);
}

/** Labels are learned vectors, as long as the latents, that are appended to them. */
export const resnetGenerator = (options: NetworkOptions): Network => {
  refuse(options, 'batchNorm', 'spectralNorm');
  const size = square(options);
  const { latentSize, conditions = {} } = options;
  const [smallest = 0, ...larger] = mapsOf(options, size).reverse();
  const blocks = size.halvings;
  const last = Math.ceil(([smallest, ...larger].at(-1) as number) / 2);
  return sequential(
    [latentSize],
    [
      ...Object.entries(conditions).map(([name, classes]) => embed(name, classes, latentSize)),
      ...[basis(size.base, smallest), block(smallest, blocks)], //          4×4
      ...larger.flatMap((maps, i) => [
        ...[...widen([smallest, ...larger][i] as number, maps), double()], // 8×8, 16×16
        block(maps, blocks),
      ]),
      ...[double(), conv(3, 1, 1, last, { gain: GAIN }), bias(), leakyRelu(SLOPE)], // 32×32
      ...[conv(3, 1, 1, size.channels, { gain: 1 }), intoRange(options)],
    ],
  );
};

/** Its discriminator; the output is one score per image. With labels, how well it fits its class. */
export const resnetDiscriminator = (options: NetworkOptions): Network => {
  refuse(options, 'batchNorm', 'spectralNorm');
  const size = square(options);
  const { latentSize, conditions = {} } = options;
  const [largest = 0, ...smaller] = mapsOf(options, size);
  const blocks = size.halvings;
  const side = size.base * 2 ** size.halvings;
  const classes = Object.entries(conditions);
  return sequential(
    [side, side, size.channels],
    [
      ...[conv(4, 2, 1, largest, { gain: 1 }), block(largest, blocks)], //  16×16
      ...smaller.flatMap((maps, i) => [
        ...[halve(), ...widen([largest, ...smaller][i] as number, maps)], // 8×8, 4×4
        block(maps, blocks),
      ]),
      ...[weightedSum(), dense(classes.length > 0 ? latentSize : 1, { bias: false, gain: 1 })],
      ...classes.map(([name, count]) => project(name, count)),
    ],
  );
};
