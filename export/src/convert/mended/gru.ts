import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';

interface Activation {
  apply(x: tf.Tensor): tf.Tensor;
}

/** What TF.js's cell has and does not publish. */
interface Cell {
  readonly kernel: LayerVariable;
  readonly recurrentKernel: LayerVariable;
  readonly bias: LayerVariable | null;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
  /** Whether the state is reset after its product with the weights. */
  resetAfter?: boolean;
  addWeight(name: string, shape: number[], ...rest: unknown[]): LayerVariable;
  call(inputs: tf.Tensor[]): tf.Tensor[];
  getConfig(): object;
}

type Config = { readonly resetAfter?: boolean };
type FromConfig<T> = (cls: unknown, config: Config, ...rest: unknown[]) => T;

/** TF.js's register of classes: each with the function that makes one of its description. */
const classes = tf.serialization.SerializationMap.getMap().classNameMap as unknown as {
  GRU: [unknown, FromConfig<{ readonly cell: Cell }>];
  GRUCell: [unknown, FromConfig<Cell>];
};

/**
 * Lets TF.js read the GRU that Keras makes unless it is told otherwise, which resets the state after its
 * product with the weights. TF.js has the other kind, and refuses this.
 */
export function mendGru(): void {
  const { GRU, GRUCell } = classes;
  const [layerOf, cellOf] = [GRU[1], GRUCell[1]];
  GRU[1] = (cls, config, ...rest) => {
    const layer = layerOf(cls, { ...config, resetAfter: false }, ...rest);
    if (config.resetAfter) resetAfter(layer.cell);
    return layer;
  };
  GRUCell[1] = (cls, config, ...rest) => {
    const cell = cellOf(cls, { ...config, resetAfter: false }, ...rest);
    if (config.resetAfter) resetAfter(cell);
    return cell;
  };
}

function resetAfter(cell: Cell): void {
  const { addWeight, getConfig } = cell;
  Object.assign(cell, {
    resetAfter: true,
    // A bias for the product with what comes in, and one for that with the state.
    addWeight: (name: string, shape: number[], ...rest: unknown[]) =>
      addWeight.call(cell, name, name === 'bias' ? [2, ...shape] : shape, ...rest),
    getConfig: () => ({ ...getConfig.call(cell), resetAfter: true }),
    call: (inputs: tf.Tensor[]) => tf.tidy(() => step(cell, inputs as [tf.Tensor2D, tf.Tensor2D])),
  });
}

/** h' = z·h + (1 − z)·tanh(xW + b + r·(hU + c)), with z and r of xW + b + hU + c. */
function step(cell: Cell, [x, h]: [tf.Tensor2D, tf.Tensor2D]): tf.Tensor[] {
  const biases = cell.bias ? tf.unstack(cell.bias.read()) : [];
  const gates = (a: tf.Tensor2D, weights: LayerVariable, bias?: tf.Tensor) => {
    const product = tf.matMul(a, weights.read() as tf.Tensor2D);
    return tf.split(bias ? tf.add(product, bias) : product, 3, 1);
  };
  type Gates = [tf.Tensor, tf.Tensor, tf.Tensor];
  const [xz, xr, xh] = gates(x, cell.kernel, biases[0]) as Gates;
  const [hz, hr, hh] = gates(h, cell.recurrentKernel, biases[1]) as Gates;
  const update = cell.recurrentActivation.apply(tf.add(xz, hz));
  const reset = cell.recurrentActivation.apply(tf.add(xr, hr));
  const candidate = cell.activation.apply(tf.add(xh, tf.mul(reset, hh)));
  const next = tf.add(tf.mul(update, h), tf.mul(tf.sub(1, update), candidate));
  return [next, next];
}
