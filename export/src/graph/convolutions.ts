import { fromBinary } from '@bufbuild/protobuf';
import {
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataType,
} from 'onnx-buf';

/** The weights of a convolution, as TensorFlow.js has them. */
export interface Convolution {
  readonly kernel: {
    readonly shape: readonly [height: number, width: number, inputs: number, outputs: number];
    readonly data: Float32Array;
  };
  /** One value for each output; undefined for a convolution without them. */
  readonly bias?: Float32Array;
}

/**
 * The convolutions of two dimensions of an ONNX file whose weights are float32 constants in it, in the order
 * in which they are computed.
 * @param bytes the whole file
 * @throws Error if the bytes are not an ONNX model
 */
export function convolutionsIn(bytes: Uint8Array): Convolution[] {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new Error('these bytes are not an ONNX model', { cause });
  }
  const { node = [], initializer = [] } = model.graph ?? {};
  const constants = new Map(initializer.map((tensor) => [tensor.name, tensor]));
  return node
    .filter(({ opType }) => opType === 'Conv')
    .flatMap(({ input: [, kernel = '', bias = ''] }) => {
      const [weights, offsets] = [constants.get(kernel), constants.get(bias)];
      if (weights?.dims.length !== 4 || (bias !== '' && !offsets)) return [];
      const [out, ins, high, wide] = weights.dims.map(Number) as [number, number, number, number];
      const data = floatsOf(weights, out * ins * high * wide);
      const added = offsets && floatsOf(offsets, out);
      if (!data || (offsets && !added)) return [];
      return [
        {
          kernel: {
            shape: [high, wide, ins, out],
            data: channelsLast(data, out, ins, high * wide),
          },
          ...(added && { bias: added }),
        },
      ];
    });
}

/** The numbers of a tensor; undefined unless they are float32, in this file, and so many. */
function floatsOf({ dataType, rawData, floatData }: TensorProto, count: number) {
  if (dataType !== TensorProto_DataType.FLOAT) return undefined;
  if (floatData.length === count) return Float32Array.from(floatData);
  if (rawData.length !== 4 * count) return undefined;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  // ONNX stores them with the lowest byte first, wherever they begin.
  return Float32Array.from({ length: count }, (_, k) => view.getFloat32(4 * k, true));
}

/** A kernel [out, in, place] as [place, in, out]. */
function channelsLast(from: Float32Array, out: number, ins: number, places: number): Float32Array {
  const to = new Float32Array(from.length);
  from.forEach((value, at) => {
    const [o, i, place] = [
      Math.floor(at / (ins * places)),
      Math.floor(at / places) % ins,
      at % places,
    ];
    to[(place * ins + i) * out + o] = value;
  });
  return to;
}
