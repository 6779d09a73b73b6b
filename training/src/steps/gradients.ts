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
  return {
    loss: value,
    aux: returned(kept as A),
    grads: Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor])),
  };
}

/** Scores of images, their gradients by pixel, and auxiliary results. */
export interface Slopes<A> {
  readonly y: tf.Tensor;
  readonly aux: A;
  readonly slopes: tf.Tensor;
}

/**
 * The scores of images, [N, 1], and the gradient of each by the pixels of its own image, in one forward
 * pass. Both can be differentiated again. Each score must depend on its own image only, because the
 * gradient is that of the sum of the scores.
 */
export function scoresAndSlopes<A extends Readonly<Record<string, Tensors>>>(
  f: (x: tf.Tensor) => { y: tf.Tensor; aux: A },
  x: tf.Tensor,
): Slopes<A> {
  let kept: A | undefined;
  const { value, grad } = tf.valueAndGrad((images: tf.Tensor) => {
    const { y, aux } = f(images);
    kept = mapTensors(aux, tf.keep);
    return y;
  })(x, tf.ones([x.shape[0] as number, 1]));
  return { y: value, aux: returned(kept as A), slopes: grad };
}

/** `tf.keep` hides tensors from tidy; a clone belongs to the caller's tidy again. */
const returned = <A extends Readonly<Record<string, Tensors>>>(kept: A): A =>
  mapTensors(kept, (t) => {
    const own = tf.clone(t);
    t.dispose();
    return own;
  });

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
