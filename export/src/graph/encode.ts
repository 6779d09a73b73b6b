import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  AttributeProto_AttributeType as Type,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { ONNX_TYPE } from './builder.js';
import { bytesOf, type Graph } from './graph.js';
import { inOpset, irVersionOf, opsetOf } from './opset.js';
import type { Attr, BodyGraph, Node, Value } from './value.js';

export interface EncodeOptions {
  readonly name: string;
  readonly doc?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The file's opset; by default the lowest that the graph's operators allow. */
  readonly opset?: number | undefined;
  /** How a size is written: a number, or the name of a dimension that is free when the file runs. */
  readonly dim: (size: number) => number | string;
}

/**
 * Writes a graph as the bytes of an .onnx file.
 * @throws ExportError if the graph cannot have the opset that the options ask for
 */
export function encode(graph: Graph, options: EncodeOptions): Uint8Array {
  const opset = opsetOf(graph, options.opset);
  const { nodes, initializers, reshaped } = encodeNodes(graph, opset);
  const isFree = ({ shape }: Value): boolean =>
    shape.some((size) => typeof options.dim(size) === 'string');
  return encodeModel(
    create(GraphProtoSchema, {
      name: options.name,
      node: nodes,
      initializer: initializers,
      input: graph.inputs.map((v) => valueInfo(v.name as string, v, options.dim)),
      output: graph.outputs.map(({ name, value }) => valueInfo(name, value, options.dim)),
      valueInfo: reshaped
        .filter(({ value }) => isFree(value))
        .map(({ name, value }) => valueInfo(name, value, options.dim)),
    }),
    opset,
    options,
  );
}

export const encodeModel = (
  graph: GraphProto,
  opset: number,
  { doc = '', metadata = {} }: EncodeOptions,
): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(irVersionOf(opset)),
      producerName: 'gpn',
      docString: doc,
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) })],
      graph,
      metadataProps: Object.entries(metadata).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    }),
  );

/**
 * Operators whose result gets its shape from numbers, in which a free size has lost its name: readers
 * that infer shapes find it again in the value's description.
 */
const RESHAPING = new Set(['Reshape', 'Expand']);

/**
 * A graph's nodes and constants, and the values that a reshape makes. `prefix` goes before the names
 * of its inputs and outputs.
 */
export function encodeNodes(graph: BodyGraph, opset: number, prefix = '', around?: Around) {
  const order = graph.order().flatMap((node) => inOpset(node, opset));
  const names = nameValues(order, graph, prefix, around);
  const nameOf = (v: Value | undefined): string => (v ? (names.get(v) as string) : '');
  const nodes = order.map((node) => {
    const { bodies = [] } = node;
    const captured = bodies.reduce((sum, body) => sum + body.captured, 0);
    const own = node.inputs.slice(0, node.inputs.length - captured);
    const taken = node.inputs.slice(own.length).map(nameOf);
    const output = node.outputs.map(nameOf);
    const attributes = Object.entries(node.attrs).map(([name, attr]) => attribute(name, attr));
    bodies.forEach(({ attribute: name, graph, captured: count }, i) => {
      const prefix = `${output[0]}/${i > 0 ? `${i}/` : ''}`;
      const g = encodeBody(graph, opset, prefix, { taken: taken.splice(0, count) });
      attributes.push(create(AttributeProtoSchema, { name, type: Type.GRAPH, g }));
    });
    return create(NodeProtoSchema, {
      opType: node.op,
      // Written out although it is the default: left out, files would differ by these two bytes.
      domain: '',
      input: own.map(nameOf),
      output,
      attribute: attributes,
    });
  });
  // An input, a constant or a value that is two outputs at once gets its output name by Identity.
  for (const { name, value } of graph.outputs) {
    const output = prefix + name;
    if (nameOf(value) !== output) {
      nodes.push(
        create(NodeProtoSchema, { opType: 'Identity', input: [nameOf(value)], output: [output] }),
      );
    }
  }
  const initializers = constantsOf(order, graph).map((v) => tensor(nameOf(v), v));
  const results = order.filter(({ op }) => RESHAPING.has(op)).flatMap(({ outputs }) => outputs);
  const ends = new Set(graph.outputs.map(({ value }) => value));
  const reshaped = results
    .filter((value) => !ends.has(value))
    .map((value) => ({ name: nameOf(value), value }));
  return { nodes, initializers, reshaped };
}

/** What a graph within a node finds around it. */
interface Around {
  /** The names of the values that it takes from there, its last inputs. */
  readonly taken: readonly string[];
}

function encodeBody(graph: BodyGraph, opset: number, prefix: string, around: Around): GraphProto {
  const { nodes, initializers } = encodeNodes(graph, opset, prefix, around);
  const own = graph.inputs.slice(0, graph.inputs.length - around.taken.length);
  // Shapes follow from those that go in; only ranks and types are said here.
  const info = (name: string, v: Value) => {
    let axis = 0;
    return valueInfo(prefix + name, v, () => `${prefix}${axis++}`);
  };
  return create(GraphProtoSchema, {
    name: prefix,
    node: nodes,
    initializer: initializers,
    input: own.map((v) => info(v.name as string, v)),
    output: graph.outputs.map(({ name, value }) => info(name, value)),
  });
}

/** Inputs and outputs keep their names; the rest is numbered in the order in which it is computed. */
function nameValues(
  order: readonly Node[],
  graph: BodyGraph,
  prefix: string,
  around?: Around,
): Map<Value, string> {
  const names = new Map<Value, string>();
  const own = graph.inputs.length - (around?.taken.length ?? 0);
  graph.inputs.forEach((v, i) => {
    names.set(v, i < own ? prefix + v.name : (around?.taken[i - own] as string));
  });
  // Names within a node differ from those around it.
  const within = around ? prefix : '';
  for (const { name, value } of graph.outputs) {
    if (value.node && !names.has(value)) names.set(value, prefix + name);
  }
  let next = 0;
  const number = (v: Value | undefined, prefix: string): void => {
    if (v && !names.has(v)) names.set(v, `${within}${prefix}${next++}`);
  };
  for (const node of order) {
    for (const v of node.inputs) number(v, v?.data ? 'c' : 't');
    for (const v of node.outputs) number(v, 't');
  }
  for (const { value } of graph.outputs) number(value, 'c');
  return names;
}

function constantsOf(order: readonly Node[], graph: BodyGraph): Value[] {
  const all = [...order.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.value)];
  return [...new Set(all.filter((v): v is Value => v?.data !== undefined))];
}

function tensor(name: string, v: Value) {
  return create(TensorProtoSchema, {
    name,
    dims: v.shape.map(BigInt),
    dataType: ONNX_TYPE[v.dtype],
    rawData: Uint8Array.from(bytesOf(v.data as NonNullable<Value['data']>)),
  });
}

/** `lead` is the name of a free dimension in front of the value's own. */
export function valueInfo(
  name: string,
  v: Pick<Value, 'shape' | 'dtype'>,
  dim: EncodeOptions['dim'],
  lead?: string,
) {
  const dims = [...(lead ? [lead] : []), ...v.shape].map((size) => {
    const d = typeof size === 'string' ? size : dim(size);
    const value =
      typeof d === 'number'
        ? ({ case: 'dimValue', value: BigInt(d) } as const)
        : ({ case: 'dimParam', value: d } as const);
    return create(TensorShapeProto_DimensionSchema, { value });
  });
  const shape = create(TensorShapeProtoSchema, { dim: dims });
  const value = create(TypeProto_TensorSchema, { elemType: ONNX_TYPE[v.dtype], shape });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

function attribute(name: string, attr: Attr) {
  if (typeof attr === 'string') {
    return create(AttributeProtoSchema, {
      name,
      type: Type.STRING,
      s: new TextEncoder().encode(attr),
    });
  }
  if (typeof attr === 'number') {
    return create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(attr) });
  }
  if ('float' in attr)
    return create(AttributeProtoSchema, { name, type: Type.FLOAT, f: attr.float });
  if (typeof attr[0] === 'string') {
    const strings = (attr as readonly string[]).map((text) => new TextEncoder().encode(text));
    return create(AttributeProtoSchema, { name, type: Type.STRINGS, strings });
  }
  return create(AttributeProtoSchema, {
    name,
    type: Type.INTS,
    ints: (attr as readonly number[]).map(BigInt),
  });
}
