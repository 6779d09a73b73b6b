import * as tf from '@tensorflow/tfjs-core';

type Shape = (number | null)[];

interface Conv1D {
  readonly padding: string;
  readonly kernelSize: readonly [number];
  readonly dilationRate: readonly [number];
}

interface Prototype {
  call(this: Conv1D, inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor | tf.Tensor[];
  computeOutputShape(this: Conv1D, shape: Shape | Shape[]): Shape | Shape[];
}

/** A layer as it is, but for its padding. */
const padded = (layer: Conv1D, padding: string): Conv1D =>
  Object.create(layer, { padding: { value: padding } });

/**
 * Lets TF.js's Conv1D look only at what came before, as padding 'causal' asks: its layers take the word, and
 * its convolutions refuse it. The series [batch, time, channels] gets zeros in front.
 */
export function mendCausal(prototype: Prototype): void {
  const { call, computeOutputShape } = prototype;
  prototype.call = function (inputs, kwargs) {
    if (this.padding !== 'causal') return call.call(this, inputs, kwargs);
    const front = (this.kernelSize[0] - 1) * this.dilationRate[0];
    const x = [inputs].flat()[0] as tf.Tensor;
    const longer = tf.pad(x, [
      [0, 0],
      [front, 0],
      [0, 0],
    ]);
    return call.call(padded(this, 'valid'), longer, kwargs);
  };
  prototype.computeOutputShape = function (shape) {
    return computeOutputShape.call(this.padding === 'causal' ? padded(this, 'same') : this, shape);
  };
}
