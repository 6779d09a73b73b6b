import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by name: `deconv1/kernel`, `norm1/scale`. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** How a tensor starts: `weight` by the recipe's scheme, the others as they say. */
export type Start =
  /** A convolution or dense layer's weight, with its fans for Xavier's and Kaiming's schemes. */
  | { readonly kind: 'weight'; readonly fanIn: number; readonly fanOut: number }
  /** The scale of a normalisation: N(1, 0.02) under the `normal` scheme, else 1. */
  | { readonly kind: 'scale' }
  /** A direction, for power iteration: normal, then of length 1. */
  | { readonly kind: 'direction' }
  /** As another tensor of the same state, by its name; that one comes before it. */
  | { readonly kind: 'same'; readonly as: string }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' };

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly start: Start;
}
export type Specs = Readonly<Record<string, TensorSpec>>;

export interface Applied {
  readonly y: Tensor;
  /** The buffers after this pass; in inference mode the ones given. */
  readonly buffers: Tensors;
}

/** How a network is passed through, and what it is given beside its input. */
export interface Pass {
  /** With the batch's statistics, power iteration and dropout, or with what was learnt. */
  readonly training: boolean;
  /** Side inputs by name, [N, size]. */
  readonly conditions?: Tensors;
  /** Uniform numbers on (0, 1) for dropout by layer, [N, …]; needed in training alone. */
  readonly noise?: Tensors;
}

/**
 * A network as pure functions of its tensors. `params` are trained; `buffers` are what a pass in
 * training mode leaves behind: running statistics, vectors of power iteration.
 */
export interface Network {
  /** Sizes per example, without the batch. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly params: Specs;
  readonly buffers: Specs;
  /** Side inputs by name, and their sizes: `labels` and `categories` (one-hot), `codes`. */
  readonly conditions: Readonly<Record<string, number>>;
  /** Shapes, per example, of the uniform numbers that a pass in training takes. */
  readonly noise: Readonly<Record<string, readonly number[]>>;
  /**
   * Floating-point operations of each layer with weights, for one example's forward pass: two for
   * every multiplication and addition of its table's row, whatever a graph makes of it.
   */
  readonly flops: readonly number[];
  apply(params: Tensors, buffers: Tensors, x: Tensor, pass: Pass): Applied;
}

export const countParameters = (network: Network): number =>
  Object.values(network.params).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );

/** One layer of a list: what it adds to the network, given the shape of what comes in. */
export interface Layer {
  readonly outputShape: readonly number[];
  readonly params: Specs;
  readonly buffers: Specs;
  readonly conditions?: Readonly<Record<string, number>>;
  readonly noise?: readonly number[];
  readonly flops?: readonly number[];
  apply(params: Tensors, buffers: Tensors, x: Tensor, pass: LayerPass): Applied;
}

export interface LayerPass extends Omit<Pass, 'noise'> {
  readonly noise?: Tensor | undefined;
}

/** A layer that waits for the shape of its input; `kind` names it in the state, with a number. */
export interface LayerMaker {
  readonly kind: string;
  readonly build: (inputShape: readonly number[]) => Layer;
}

/** The same record with `name/` before every key. */
export const prefixed = <T>(name: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [`${name}/${key}`, value]));

/** What `prefixed` put under a name. */
export const under = (name: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([key]) => key.startsWith(`${name}/`))
      .map(([key, value]) => [key.slice(name.length + 1), value]),
  );

/** Layers one after the other; the third convolution's kernel is `conv3/kernel`. */
export function sequential(inputShape: readonly number[], makers: readonly LayerMaker[]): Network {
  const counts = new Map<string, number>();
  const layers: { name: string; layer: Layer }[] = [];
  let shape = inputShape;
  for (const { kind, build } of makers) {
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    const layer = build(shape);
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
        const applied = layer.apply(under(name, params), under(name, buffers), y, {
          ...pass,
          noise: pass.noise?.[name],
        });
        y = applied.y;
        Object.assign(after, prefixed(name, applied.buffers));
      }
      return { y, buffers: after };
    },
  };
}

/** What a recipe may choose about its networks. */
export interface NetworkOptions {
  readonly latentSize: number;
  /** Normalisations in the discriminator. */
  readonly batchNorm: boolean;
  readonly spectralNorm: boolean;
  /** Side inputs and their sizes: `{ labels: 10 }`, or `{ categories: 10, codes: 2 }`. */
  readonly conditions?: Readonly<Record<string, number>>;
  /** InfoGAN: whether the discriminator also gives the codes' variance. */
  readonly codeVariance?: boolean;
  /** Of a discriminator of fragments: their altered middle and the frame around it, in pixels. */
  readonly fragment?: { readonly internal: number; readonly frame: number };
  /** Of networks for images of any size; 28×28 and grey unless given. */
  readonly image?: { readonly height: number; readonly width: number; readonly channels: number };
  /** Of a discriminator of fragments: the form that slides over images, pixel by pixel. */
  readonly dense?: boolean;
  /** Scales the channels of the layers between: tests use an eighth. */
  readonly width?: number;
}
