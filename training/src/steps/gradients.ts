import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';

/** A loss, its gradients by parameter, and auxiliary results. */
export interface Differentiated<A> {
  readonly loss: tf.Tensor;
  readonly aux: A;
  readonly grads: Tensors;
}

/**
 * Differentiates a loss by each parameter. `aux` returns other results of the computation, through
 * which no gradient flows. Call it inside tf.tidy.
 */
export function differentiate<A extends Readonly<Record<string, Tensors>>>(
  f: (params: Tensors) => { loss: tf.Tensor; aux: A },
  params: Tensors,
): Differentiated<A> {
  const names = Object.keys(params);
  let kept: A | undefined;
  const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { loss, aux } = f(
      Object.fromEntries(names.map((name, i) => [name, values[i] as tf.Tensor])),
    );
    kept = mapTensors(aux, tf.keep);
    return loss as tf.Scalar;
  })(names.map((name) => params[name] as tf.Tensor));
  // `tf.keep` hides tensors from tidy; a clone belongs to the caller's tidy again.
  const aux = mapTensors(kept as A, (t) => {
    const own = tf.clone(t);
    t.dispose();
    return own;
  });
  return {
    loss: value,
    aux,
    grads: Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor])),
  };
}

function mapTensors<A extends Readonly<Record<string, Tensors>>>(
  aux: A,
  f: (t: tf.Tensor) => tf.Tensor,
): A {
  const entries = Object.entries(aux).map(([group, tensors]) => [
    group,
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, f(t)])),
  ]);
  return Object.fromEntries(entries) as A;
}
