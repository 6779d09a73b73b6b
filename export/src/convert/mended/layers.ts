/**
 * Layers of TF.js 4.22 that compute something else than Keras, from whose models they are read, or
 * change what is not theirs. Keras's values are in test/models.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { mendCausal } from './causal.js';
import { groupedConv2d } from './grouped-conv.js';
import { mendGru } from './gru.js';

type Layer = layers.Layer;
type Shape = (number | null)[];
type Tensors = tf.Tensor | tf.Tensor[];

/** What these layers have and TF.js does not publish. */
interface Fields {
  readonly height: number;
  readonly width: number;
  readonly interpolation: 'bilinear' | 'nearest';
  readonly cropToAspectRatio: boolean;
  /** Of an UpSampling2D: how many times as large, in height and width. */
  readonly size: [number, number];
  readonly numTokens: number;
  readonly outputMode: 'oneHot' | 'multiHot' | 'count';
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  readonly strides: [number, number];
  readonly dilationRate: [number, number];
  readonly padding: 'same' | 'valid';
  readonly kernel: { read(): tf.Tensor4D };
  readonly bias: { read(): tf.Tensor1D } | null;
  readonly embeddings: { read(): tf.Tensor };
  /** Of a LayerNormalization, once it is built. */
  readonly axis: number[];
  readonly epsilon: number;
  readonly gamma: { read(): tf.Tensor } | null;
  readonly beta: { read(): tf.Tensor } | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
  groups?: number;
}

type Mended = Layer & Fields;

interface Prototype {
  build(this: Mended, shape: Shape | Shape[]): void;
  call(this: Mended, inputs: Tensors, kwargs: object): Tensors;
  computeOutputShape(this: Mended, shape: Shape | Shape[]): Shape | Shape[];
}

type FromConfig = (cls: unknown, config: { groups?: number }, custom?: object) => Mended;

/** TF.js's register of classes: each with the function that makes one of its description. */
const classes = tf.serialization.SerializationMap.getMap().classNameMap as unknown as Record<
  string,
  [{ readonly prototype: Prototype }, FromConfig]
>;
const entryOf = (name: string): (typeof classes)[string] => {
  const found = classes[name];
  if (!found) throw new Error(`TF.js has no layer ${name}`);
  return found;
};

const only = (inputs: Tensors): tf.Tensor =>
  (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;

const copied = (shape: Shape | Shape[]): Shape | Shape[] =>
  Array.isArray(shape) ? (shape.map((d) => (Array.isArray(d) ? [...d] : d)) as Shape) : shape;

/** CenterCrop and CategoryEncoding write the sizes of their results into the shape of what they take. */
function keepShapes(): void {
  for (const [{ prototype }] of Object.values(classes)) {
    if (!Object.hasOwn(prototype, 'computeOutputShape')) continue;
    const original = prototype.computeOutputShape;
    prototype.computeOutputShape = function (shape) {
      return original.call(this, copied(shape));
    };
  }
}

/** Height and width of images [..., height, width, channels]. */
const sidesOf = ({ shape }: tf.Tensor): [number, number] => shape.slice(-3, -1) as [number, number];

/** The middle of images. */
function middle(x: tf.Tensor, height: number, width: number): tf.Tensor {
  const [h, w] = sidesOf(x);
  const at = [(h - height) / 2, (w - width) / 2].map(Math.floor);
  const rest = x.shape.slice(0, -3);
  return tf.slice(x, [...rest.map(() => 0), ...at, 0], [...rest.map(() => -1), height, width, -1]);
}

type Resize = (
  x: tf.Tensor3D | tf.Tensor4D,
  size: [number, number],
  align: boolean,
  half: boolean,
) => tf.Tensor;
const RESIZE: Readonly<Record<string, Resize>> = {
  bilinear: tf.image.resizeBilinear,
  nearest: tf.image.resizeNearestNeighbor,
};

/** Pixels are squares, whose centres are sampled. */
const resized = (x: tf.Tensor, height: number, width: number, how = 'bilinear'): tf.Tensor =>
  (RESIZE[how] as Resize)(x as tf.Tensor4D, [height, width], false, true);

/** The largest part of the middle that has the form asked for, resized. */
function fitted(x: tf.Tensor, height: number, width: number, how?: string): tf.Tensor {
  const [h, w] = sidesOf(x);
  const rows = Math.min(h, Math.floor((w * height) / width));
  const columns = Math.min(w, Math.floor((h * width) / height));
  return resized(middle(x, rows, columns), height, width, how);
}

/** TF.js's crops are resampled, one pixel off where an odd number is left over. */
const centerCrop: Prototype['call'] = function (inputs) {
  const x = only(inputs);
  const [h, w] = sidesOf(x);
  return h >= this.height && w >= this.width
    ? middle(x, this.height, this.width)
    : fitted(x, this.height, this.width);
};

/** TF.js's samples corners, and forgets the axis of the batch. */
const resizing: Prototype['call'] = function (inputs) {
  const { height, width, interpolation, cropToAspectRatio } = this;
  return (cropToAspectRatio ? fitted : resized)(only(inputs), height, width, interpolation);
};

/** TF.js's samples corners. */
const upSampling: Prototype['call'] = function (inputs) {
  const first = this.dataFormat === 'channelsFirst';
  const x = only(inputs);
  const images = first ? tf.transpose(x, [0, 2, 3, 1]) : x;
  const [height, width] = sidesOf(images).map((d, i) => d * (this.size[i] as number)) as [
    number,
    number,
  ];
  const y = resized(images, height, width, this.interpolation);
  return first ? tf.transpose(y, [0, 3, 1, 2]) : y;
};

/** TF.js's reads its numbers to check them. One out of range, an error in Keras, has no category. */
const categoryEncoding: Prototype['call'] = function (inputs) {
  const x = tf.cast(only(inputs), 'int32');
  const single = this.outputMode === 'oneHot' && x.shape.at(-1) === 1;
  const categories = single ? tf.squeeze(x, [x.rank - 1]) : x;
  const hot = tf.oneHot(categories, this.numTokens, 1, 0, 'float32');
  if (this.outputMode === 'oneHot') return hot;
  return this.outputMode === 'count' ? tf.sum(hot, -2) : tf.max(hot, -2);
};

/** TF.js's repeats scale and offset over all of its input, which at the numbers for free sizes is without end. */
const layerNormalization: Prototype['call'] = function (inputs) {
  const x = only(inputs);
  const { axis, epsilon, gamma, beta } = this;
  const shape = x.shape.map((d, i) => (axis.includes(i) ? d : 1));
  const { mean, variance } = tf.moments(x, axis, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
  const scaled = gamma ? tf.mul(normal, tf.reshape(gamma.read(), shape)) : normal;
  return beta ? tf.add(scaled, tf.reshape(beta.read(), shape)) : scaled;
};

/** TF.js's lays all rows of all steps below one another: of several free sizes, that is no size of the file. */
const dense: Prototype['call'] = function (inputs) {
  const x = only(inputs);
  const kernel = this.kernel.read() as tf.Tensor;
  const shape = [...x.shape.slice(0, -2).map(() => 1), ...kernel.shape];
  const y = tf.matMul(x, tf.reshape(kernel, shape));
  const shifted = this.bias ? tf.add(y, this.bias.read()) : y;
  return this.activation ? this.activation.apply(shifted) : shifted;
};

/** TF.js's lays all numbers of all rows in one row. */
const embedding: Prototype['call'] = function (inputs) {
  return tf.gather(this.embeddings.read(), tf.cast(only(inputs), 'int32'));
};

/** Whether a layer takes a size besides the batch that the model leaves open. */
const takesOpenSizes = ({ inboundNodes }: Layer): boolean =>
  inboundNodes.some(({ inputShapes }) =>
    inputShapes.some((shape) => (shape as Shape).slice(1).includes(null)),
  );

/** TF.js's Conv2D knows no groups: its filters see all channels. */
function mendConv2d(): void {
  const entry = entryOf('Conv2D');
  const [{ prototype }, fromConfig] = entry;
  entry[1] = (cls, config, custom) => {
    const made = fromConfig(cls, config, custom);
    made.groups = config.groups ?? 1;
    return made;
  };
  const { build, call } = prototype;
  const channelAxis = ({ dataFormat }: Fields): number => (dataFormat === 'channelsFirst' ? 1 : 3);
  prototype.build = function (shape) {
    const { groups = 1 } = this;
    const axis = channelAxis(this);
    const sizes = [...(Array.isArray(shape[0]) ? shape[0] : shape)] as number[];
    build.call(this, groups === 1 ? shape : sizes.map((d, i) => (i === axis ? d / groups : d)));
    if (groups > 1) this.inputSpec = [];
  };
  prototype.call = function (inputs, kwargs) {
    const { groups = 1, strides, padding, dilationRate, bias, activation } = this;
    if (groups === 1) return call.call(this, inputs, kwargs);
    const first = channelAxis(this) === 1;
    const x = only(inputs) as tf.Tensor4D;
    const images = first ? tf.transpose(x, [0, 2, 3, 1]) : x;
    const y = groupedConv2d(images, this.kernel.read(), {
      strides,
      pad: padding,
      dilations: dilationRate,
    });
    const shifted = bias ? tf.add(y, bias.read()) : y;
    const active = activation ? activation.apply(shifted) : shifted;
    return first ? tf.transpose(active, [0, 3, 1, 2]) : active;
  };
}

/** Layers that TF.js computes otherwise than Keras. */
const AS_IN_KERAS: Readonly<Record<string, Prototype['call']>> = {
  CenterCrop: centerCrop,
  Resizing: resizing,
  UpSampling2D: upSampling,
};

/** Layers that give the same, in another way. */
const OTHERWISE: Readonly<Record<string, Prototype['call']>> = {
  CategoryEncoding: categoryEncoding,
  LayerNormalization: layerNormalization,
};

/** Those of them that do so only where sizes besides the batch are open. */
const OTHERWISE_OPEN: Readonly<Record<string, Prototype['call']>> = {
  Dense: dense,
  Embedding: embedding,
};

let mended = false;

/** Mends how TF.js makes its layers, for all of the process; to be called before a model is loaded. */
export function mendLayers(): void {
  if (mended) return;
  mended = true;
  mendConv2d();
  mendCausal(entryOf('Conv1D')[0].prototype as never);
  mendGru();
  entryOf('Resizing')[0].prototype.computeOutputShape = function (shape) {
    const sizes = (Array.isArray(shape[0]) ? shape[0] : shape) as Shape;
    return [...sizes.slice(0, -3), this.height, this.width, sizes.at(-1) as number];
  };
  keepShapes();
}

/**
 * Mends what the layers of a model compute. What TF.js made itself keeps TF.js's values.
 * @returns the layers, by name, that now give other values than TF.js's: those that Keras gives
 */
export function mendCalls(all: readonly Layer[], ofKeras: boolean): string[] {
  return all.flatMap((layer) => {
    const kind = layer.getClassName();
    const asInKeras = ofKeras && AS_IN_KERAS[kind];
    const open = takesOpenSizes(layer) ? OTHERWISE_OPEN[kind] : undefined;
    const call = asInKeras || open || OTHERWISE[kind];
    if (!call) return [];
    layer.call = (inputs) => tf.tidy(() => call.call(layer as Mended, inputs, {}));
    return asInKeras ? [layer.name] : [];
  });
}
