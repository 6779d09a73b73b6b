import { fromBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from 'onnx-buf';

/** An input or output of an ONNX file. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  /** Sizes; a name stands for a dimension that is free. */
  readonly shape: readonly (number | string)[];
}

/** What an ONNX file holds. */
export interface ModelSummary {
  readonly bytes: number;
  readonly irVersion: number;
  readonly opset: number;
  readonly producer: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** How often each operator occurs, in loops and branches too, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** The number of elements in all floating-point constants. */
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads what an ONNX file holds: its inputs, outputs, operators, metadata.
 * @param bytes the whole file
 * @throws Error if the bytes are not an ONNX model
 */
export function inspectModel(bytes: Uint8Array): ModelSummary {
  const model = modelOf(bytes);
  const graph = model.graph;
  if (!graph || graph.output.length === 0)
    throw new Error('these bytes are not an ONNX model: they hold no graph');
  const counts = new Map<string, number>();
  const graphs = graphsIn(graph);
  for (const { opType } of graphs.flatMap(({ node }) => node)) {
    counts.set(opType, (counts.get(opType) ?? 0) + 1);
  }
  const floats = new Set<number>([TensorProto_DataType.FLOAT, TensorProto_DataType.FLOAT16]);
  const weights = graphs
    .flatMap(({ initializer }) => initializer)
    .filter((t) => floats.has(t.dataType));
  return {
    bytes: bytes.length,
    irVersion: Number(model.irVersion),
    opset: Number(model.opsetImport.find((o) => o.domain === '')?.version ?? 0),
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    inputs: graph.input.map(tensorInfo),
    outputs: graph.output.map(tensorInfo),
    operators: Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    parameters: weights.reduce((sum, t) => sum + t.dims.reduce((n, d) => n * Number(d), 1), 0),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}

/** The message in a file's bytes. @throws Error if they are none */
function modelOf(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new Error('these bytes are not an ONNX model', { cause });
  }
}

/** A graph and those within its nodes. */
const graphsIn = (graph: GraphProto): GraphProto[] => [
  graph,
  ...graph.node.flatMap(({ attribute }) => attribute.flatMap(({ g }) => (g ? graphsIn(g) : []))),
];

function tensorInfo({ name, type }: ValueInfoProto): TensorInfo {
  if (type?.value.case !== 'tensorType') return { name, dtype: 'unknown', shape: [] };
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim ?? [];
  return {
    name,
    dtype: (TensorProto_DataType[elemType] ?? 'unknown')
      .toLowerCase()
      .replace(/^float$/, 'float32'),
    shape: dims.map(({ value }) =>
      value.case === 'dimValue' ? Number(value.value) : (value.value ?? '?'),
    ),
  };
}

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
  const { node = [], initializer = [] } = modelOf(bytes).graph ?? {};
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
