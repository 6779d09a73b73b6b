/** Tensors, as sessions take and give them. */

/** The API that all builds of ONNX Runtime share. */
export type Ort = typeof import('onnxruntime-common');

interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

/** ONNX's names of element types. */
export type DType = keyof TypedArrays;

/**
 * A tensor: `data` holds all elements in row-major order, as many as the product of `shape`. A
 * session reads its inputs in place, so an output can be fed to the next run as it is; outputs are
 * new arrays.
 */
export interface TensorData<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArrays[D];
  /** Set if the elements stayed on the device, under this number: then `data` is empty. See `hold`. */
  readonly held?: number;
}
