import * as tf from '@tensorflow/tfjs-core';
import type { Tensors } from './network.js';

/** Avoids a division by 0 for a vector of zeros. */
const TINY = 1e-12;

const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.add(tf.sqrt(tf.sum(tf.square(x))), TINY));

/** The kernel as a matrix [height · width · in, out]. */
const matrix = (kernel: tf.Tensor): tf.Tensor2D =>
  tf.reshape(kernel, [
    kernel.size / (kernel.shape.at(-1) as number),
    kernel.shape.at(-1) as number,
  ]);

/**
 * One step of power iteration towards the kernel's first singular vectors: v ← Mu/|Mu|,
 * u ← Mᵀv/|Mᵀv| (Miyato et al. 2018, algorithm 1). No gradient flows through them.
 */
export const powerIteration = (kernel: tf.Tensor, { u }: Tensors): Tensors => {
  const m = matrix(kernel);
  const v = unit(tf.matMul(m, u as tf.Tensor2D));
  return { u: unit(tf.matMul(m, v as tf.Tensor2D, true)), v };
};

/**
 * The kernel divided by σ = uᵀMᵀv, with u and v taken as constants; the gradient of K/σ is
 * (g − ⟨g, K/σ⟩ · vuᵀ) / σ (the paper's equation 12). A step of power iteration has already computed
 * Mᵀv, so a traced graph computes it only once.
 */
export const normalizeSpectrally = (kernel: tf.Tensor, { u, v }: Tensors): tf.Tensor =>
  tf.customGrad((k, save) => {
    const raw = k as tf.Tensor;
    const [left, right] = [v, u] as [tf.Tensor2D, tf.Tensor2D];
    const sigma = tf.sum(tf.mul(tf.matMul(matrix(raw), left, true), right));
    const value = tf.div(raw, sigma);
    (save as tf.GradSaveFunc)([value, sigma, left, right]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [normalized, s, l, r] = saved as [tf.Tensor, tf.Tensor, tf.Tensor2D, tf.Tensor2D];
      const along = tf.mul(l, tf.sum(tf.mul(dy, normalized))) as tf.Tensor2D;
      const outer = tf.reshape(tf.matMul(along, r, false, true), raw.shape);
      return tf.div(tf.sub(dy, outer), s);
    };
    return { value, gradFunc };
  })(kernel);
