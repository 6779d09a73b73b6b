import * as tf from '@tensorflow/tfjs-core';
// Kernels that compute, for folding constants and for verifying exports.
import '@tensorflow/tfjs-backend-cpu';
import '#gradients';
import { mendBatchNorm } from './cpu/batch-norm.js';

// Keeps the cpu backend from advising, on standard error, to install another one.
tf.env().set('PROD', true);

mendBatchNorm();

/** The little of the cpu backend that folding needs. */
interface CpuBackend extends tf.KernelBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.BackendValues): tf.TensorInfo;
}

export interface Constant {
  readonly name: string;
  readonly info: tf.TensorInfo;
  readonly values: tf.BackendValues;
}

/** Runs a kernel on known values by TF.js's cpu backend and hands each result to `keep`. */
export function foldOnCpu<T>(
  kernelName: string,
  inputs: readonly Constant[],
  attrs: object,
  keep: (values: tf.BackendValues, shape: number[], dtype: tf.DataType) => T,
): T | T[] {
  const backend = tf.engine().findBackend('cpu') as CpuBackend;
  const kernel = tf.getKernel(kernelName, 'cpu');
  if (!kernel) throw new Error(`TF.js's cpu backend has no kernel ${kernelName}`);
  // Kernels of a list of tensors, such as Pack, want an array: its keys are what names them.
  const infos = (inputs[0]?.name === '0' ? [] : {}) as tf.NamedTensorInfoMap;
  for (const { name, info, values } of inputs) {
    infos[name] = backend.makeTensorInfo(info.shape, info.dtype, values);
  }
  const result = kernel.kernelFunc({ inputs: infos, attrs: attrs as tf.NamedAttrMap, backend });
  const take = (t: tf.TensorInfo): T => keep(backend.readSync(t.dataId), t.shape, t.dtype);
  const taken = Array.isArray(result) ? result.map(take) : take(result);
  for (const t of [...Object.values(infos), ...[result].flat()]) {
    backend.disposeData((t as tf.TensorInfo).dataId, true);
  }
  return taken;
}
