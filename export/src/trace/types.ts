/** TF.js's types of elements as the graph has them. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Data, DType } from '../graph/value.js';
import { during } from './refusals.js';

export function dtypeOf(dtype: tf.DataType): DType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(
    `${dtype} tensors cannot be traced${during()}: ONNX graphs here hold float32, int32 and bool`,
  );
}

export function typed(values: tf.BackendValues, dtype: DType): Data {
  if (dtype === 'int32')
    return values instanceof Int32Array ? values : Int32Array.from(values as Float32Array);
  if (dtype === 'bool')
    return values instanceof Uint8Array ? values : Uint8Array.from(values as Float32Array);
  return values instanceof Float32Array ? values : Float32Array.from(values as Int32Array);
}
