import { fromBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
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
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new Error('these bytes are not an ONNX model', { cause });
  }
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
