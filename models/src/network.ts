import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by name: `deconv1/kernel`, `norm1/scale`. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** A float32 tensor as plain data, in row-major order, that belongs to no engine yet. */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Gives `count` standard normal numbers, from the caller's random generator. */
export type Normal = (count: number) => Float32Array;

/** How a tensor is initialized: a `weight` by the scheme of the recipe, others as given here. */
export type Start =
  /** The weight of a convolution or a fully connected layer, with its fan-in and fan-out. */
  | { readonly kind: 'weight'; readonly fanIn: number; readonly fanOut: number }
  /** The scale of a normalisation: N(1, 0.02) with the scheme `normal`, otherwise 1. */
  | { readonly kind: 'scale' }
  /** Normal numbers with this standard deviation, whatever the scheme. */
  | { readonly kind: 'normal'; readonly std: number }
  /** What a function of the user's draws for all tensors at once, under this name. */
  | {
      readonly kind: 'drawn';
      readonly init: (normal: Normal) => Readonly<Record<string, Weights>>;
      readonly as: string;
    }
  /** A direction, for power iteration: a normal vector scaled to length 1. */
  | { readonly kind: 'direction' }
  /** A copy of another tensor of the same state, by name; that one must come before it. */
  | { readonly kind: 'same'; readonly as: string }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' };

/** The shape of a tensor and how it is initialized. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly start: Start;
}
/** Specs of tensors by name. */
export type Specs = Readonly<Record<string, TensorSpec>>;

/** What a network or layer returns. */
export interface Applied {
  readonly y: Tensor;
  /** The buffers after this pass; outside training they are unchanged. */
  readonly buffers: Tensors;
}

/** The mode of a pass, and what a network is given in addition to its input. */
export interface Pass {
  /** Whether to use batch statistics, power iteration and dropout, or the learned buffers. */
  readonly training: boolean;
  /** Side inputs by name, [N, size]. */
  readonly conditions?: Tensors;
  /** Uniform numbers on (0, 1) for dropout, by layer, [N, …]; needed only in training. */
  readonly noise?: Tensors;
}

/**
 * A network as pure functions of its tensors. `params` are trained; `buffers` are updated
 * by a pass in training: running statistics and vectors of power iteration.
 */
export interface Network {
  /** The shape of one example, without the batch. */
  readonly inputShape: readonly number[];
  /** The shape of the output for one example. */
  readonly outputShape: readonly number[];
  readonly params: Specs;
  readonly buffers: Specs;
  /** Side inputs by name, and their sizes: `labels` and `categories` (one-hot), `codes`. */
  readonly conditions: Readonly<Record<string, number>>;
  /** Shapes, per example, of the uniform numbers that a pass in training needs, by layer. */
  readonly noise: Readonly<Record<string, readonly number[]>>;
  /**
   * Floating-point operations of each layer with weights, for the forward pass of one example: two
   * for each multiply-add of the plain algorithm, whichever algorithm a graph uses.
   */
  readonly flops: readonly number[];
  /** Computes the output [N, …outputShape] of an input [N, …inputShape]. */
  apply(params: Tensors, buffers: Tensors, x: Tensor, pass: Pass): Applied;
  /** The same layers for examples of another shape; only networks of layers in sequence have it. */
  readonly resized?: (inputShape: readonly number[]) => Network;
}

/**
 * A discriminator of fragments over patches of `side` × `side` pixels: the same tensors, and an output for each
 * fragment; none if its layers cannot be moved over a larger image.
 */
export function overPatches(network: Network, side: number): Network | undefined {
  const slid = resizedTo(network, [side, side, network.inputShape.at(-1) as number]);
  const same = (a: Specs, b: Specs) =>
    Object.keys(a).every((name) => `${a[name]?.shape}` === `${b[name]?.shape}`);
  return slid && same(network.params, slid.params) && same(network.buffers, slid.buffers)
    ? slid
    : undefined;
}

/** Wider than any product of strides, which are powers of two. */
const WIDER = 64;

/** Pixels from one fragment to the next over patches; none if the network judges one at a time. */
export function patchStride(network: Network): number | undefined {
  const [side] = network.inputShape as [number];
  const [across] = overPatches(network, side + WIDER)?.outputShape ?? [];
  return across && WIDER / (across - 1);
}

function resizedTo(network: Network, shape: readonly number[]): Network | undefined {
  try {
    return network.resized?.(shape);
  } catch {
    return undefined; // a layer needs the shape that it was made for
  }
}

/** The number of elements of a tensor of this shape; 1 for the empty shape of a scalar. */
export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The number of trainable parameters of a network. */
export const countParameters = (network: Network): number =>
  Object.values(network.params).reduce((sum, { shape }) => sum + product(shape), 0);

/** A layer that was built for an input shape: what it adds to the network. */
export interface Layer {
  readonly outputShape: readonly number[];
  readonly params: Specs;
  readonly buffers: Specs;
  readonly conditions?: Readonly<Record<string, number>>;
  readonly noise?: readonly number[];
  readonly flops?: readonly number[];
  apply(params: Tensors, buffers: Tensors, x: Tensor, pass: LayerPass): Applied;
}

/** The mode of a pass through one layer, with the layer's own noise. */
export interface LayerPass extends Omit<Pass, 'noise'> {
  readonly noise?: Tensor | undefined;
}

/** Makes a layer for an input shape. `kind`, with a number, is its name in the state. */
export interface LayerMaker {
  readonly kind: string;
  readonly build: (inputShape: readonly number[]) => Layer;
}

/** The same record with `name/` before every key. */
export const prefixed = <T>(name: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [`${name}/${key}`, value]));

/** The inverse of `prefixed`: the tensors whose keys start with `name/`, without that prefix. */
export const under = (name: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([key]) => key.startsWith(`${name}/`))
      .map(([key, value]) => [key.slice(name.length + 1), value]),
  );

/** What `work` gives; an error says in which layer it happened. */
function inLayer<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NetworkError || !(error instanceof Error)) throw error;
    throw new Error(`the layer ${name}: ${error.message}`, { cause: error });
  }
}

/** A network of layers in sequence. The kernel of the third convolution is `conv3/kernel`. */
export function sequential(inputShape: readonly number[], makers: readonly LayerMaker[]): Network {
  const counts = new Map<string, number>();
  const layers: { name: string; layer: Layer }[] = [];
  let shape = inputShape;
  for (const { kind, build } of makers) {
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    const layer = inLayer(`${kind}${number}`, () => build(shape));
    layers.push({ name: `${kind}${number}`, layer });
    shape = layer.outputShape;
  }
  const all = (pick: (layer: Layer) => Specs): Specs =>
    Object.assign({}, ...layers.map(({ name, layer }) => prefixed(name, pick(layer))));
  return {
    inputShape,
    outputShape: shape,
    params: all((layer) => layer.params),
    buffers: all((layer) => layer.buffers),
    conditions: Object.assign({}, ...layers.map(({ layer }) => layer.conditions)),
    noise: Object.fromEntries(
      layers.flatMap(({ name, layer }) => (layer.noise ? [[name, layer.noise]] : [])),
    ),
    flops: layers.flatMap(({ layer }) => layer.flops ?? []),
    apply(params, buffers, x, pass) {
      const after: Record<string, Tensor> = {};
      let y = x;
      for (const { name, layer } of layers) {
        const from = y;
        const applied = inLayer(name, () => {
          const more = { ...pass, noise: pass.noise?.[name] };
          return layer.apply(under(name, params), under(name, buffers), from, more);
        });
        y = applied.y;
        Object.assign(after, prefixed(name, applied.buffers));
      }
      return { y, buffers: after };
    },
    resized: (shape) => sequential(shape, makers),
  };
}

/** A network cannot be made with its options: which of them is wrong, and what it must be. */
export class NetworkError extends Error {
  override name = 'NetworkError';
  /** @param must the rest of the sentence "OPTION must be …" */
  constructor(
    readonly option: keyof NetworkOptions | keyof ImageShape,
    readonly must: string,
  ) {
    super(`${option} must be ${must}`);
  }
}

/** The size of images. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The side of a fragment's internal part, its frame, and the distance of the scores of the dense form, or 1. */
export interface FragmentShape {
  readonly internal: number;
  readonly frame: number;
  readonly stride?: number | undefined;
}

/** What a recipe can choose about its networks. */
export interface NetworkOptions {
  /** The number of values of a latent vector. */
  readonly latentSize: number;
  /** Batch normalisation in the discriminator. */
  readonly batchNorm: boolean;
  /** Spectral normalisation in the discriminator. */
  readonly spectralNorm: boolean;
  /** Side inputs and their sizes: `{ labels: 10 }`, or `{ categories: 10, codes: 2 }`. */
  readonly conditions?: Readonly<Record<string, number>>;
  /** InfoGAN: whether the discriminator also gives the logarithms of the codes' variances. */
  readonly codeVariance?: boolean;
  /** Fragments of a discriminator, in pixels. */
  readonly fragment?: FragmentShape;
  /** The image, for networks that take any size; 28×28 and grey by default. */
  readonly image?: ImageShape;
  /** The values of the pixels 0 and 255, for networks that take either; [0, 1] by default. */
  readonly range?: readonly [number, number];
  /** Channels of the largest hidden layer, for networks that take any; by default as the size asks. */
  readonly baseChannels?: number;
  /** Whether to make the dense form of a discriminator of fragments. */
  readonly dense?: boolean;
  /** Scales the channels of hidden layers; 1 by default. Tests use an eighth. */
  readonly width?: number;
}
