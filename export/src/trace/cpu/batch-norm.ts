/**
 * Batch normalisation for TF.js's cpu backend. The kernel of TF.js 4.22 goes through the statistics
 * as if they lay along the last axis; with those of another axis, [1, channels, 1, 1], it returns other
 * numbers, and no error: test/models/batch-norm-axis-1 has Keras's.
 */
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf, stridesOf } from '../../graph/shapes.js';

const NAME = 'FusedBatchNorm';

type Inputs = Readonly<
  Record<'x' | 'mean' | 'variance', tf.TensorInfo> &
    Partial<Record<'scale' | 'offset', tf.TensorInfo>>
>;

interface Cpu extends tf.KernelBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.BackendValues): tf.TensorInfo;
}

/** Replaces the kernel by one that is right for every axis; along the last one TF.js's own runs. */
export function mendBatchNorm(): void {
  const original = tf.getKernel(NAME, 'cpu');
  if (!original) throw new Error(`TF.js's cpu backend has no kernel ${NAME}`);
  tf.unregisterKernel(NAME, 'cpu');
  tf.registerKernel({
    ...original,
    kernelFunc(given) {
      const inputs = given.inputs as unknown as Inputs;
      const { varianceEpsilon } = given.attrs as unknown as { varianceEpsilon: number };
      const statistics = [inputs.mean, inputs.variance, inputs.scale, inputs.offset];
      return statistics.every((t) => !t || sizeOf(t.shape) === t.shape.at(-1))
        ? original.kernelFunc(given)
        : normalize(inputs, varianceEpsilon, given.backend as Cpu);
    },
  });
}

/** (x − mean) / √(variance + ε) · scale + offset, each of the statistics repeated to the shape of x. */
function normalize(inputs: Inputs, epsilon: number, backend: Cpu): tf.TensorInfo {
  const { x } = inputs;
  const values = (t: tf.TensorInfo) => backend.readSync(t.dataId) as Float32Array;
  const at = (t: tf.TensorInfo | undefined, otherwise: number): ((i: number) => number) => {
    if (!t) return () => otherwise;
    const [data, strides] = [values(t), stridesOf(x.shape)];
    const missing = x.shape.length - t.shape.length;
    const own = stridesOf(t.shape);
    const steps = x.shape.map((_, axis) =>
      (t.shape[axis - missing] ?? 1) === 1 ? 0 : (own[axis - missing] as number),
    );
    return (i) => {
      const place = steps.reduce(
        (sum, step, axis) =>
          sum + step * (Math.floor(i / (strides[axis] as number)) % (x.shape[axis] as number)),
        0,
      );
      return data[place] as number;
    };
  };
  const [mean, variance] = [at(inputs.mean, 0), at(inputs.variance, 1)];
  const [scale, offset] = [at(inputs.scale, 1), at(inputs.offset, 0)];
  const y = values(x).map(
    (value, i) => ((value - mean(i)) * scale(i)) / Math.sqrt(variance(i) + epsilon) + offset(i),
  );
  return backend.makeTensorInfo(x.shape, 'float32', y);
}
