import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from 'onnx-buf';
import { type EncodeOptions, encodeModel, encodeNodes, valueInfo } from './encode.js';
import type { Graph, Named } from './graph.js';
import { opsetOf } from './opset.js';
import type { Value } from './value.js';

/**
 * The name of the input that says how often a repeated graph runs, an int64 scalar; also of the axis
 * that the runs have in its other inputs and outputs.
 */
export const TIMES = 'times';

/** Put before the names inside the loop: ONNX wants them to differ from those outside. */
const INSIDE = 'in/';
const [STEP, GO_ON, GOES_ON] = ['step', 'go-on', 'goes-on'];

/** The inputs and outputs of a graph, by the part they play when it runs several times. */
interface Roles {
  /** Inputs that each run takes from the run before it. */
  readonly taken: readonly Value[];
  /** The outputs that these inputs take, in their order. */
  readonly kept: readonly Named[];
  /** Inputs with an entry for each run. */
  readonly fed: readonly Value[];
  /** Outputs with an entry for each run. */
  readonly given: readonly Named[];
}

/** @throws Error if the graph has no output of a name that is to be carried */
function rolesOf({ inputs, outputs }: Graph, carried: ReadonlyMap<string, string>): Roles {
  const isCarried = ({ name = '' }: Value): boolean => carried.has(name);
  const taken = inputs.filter(isCarried);
  const kept = taken.map(({ name = '' }) => {
    const next = carried.get(name);
    const output = outputs.find((o) => o.name === next);
    if (!output) throw new Error(`the graph has no output ${next} to carry on`);
    return output;
  });
  return {
    taken,
    kept,
    fed: inputs.filter((v) => !isCarried(v)),
    given: outputs.filter((o) => !kept.includes(o)),
  };
}

const COUNTER = { shape: [], dtype: 'int64' } as const;
const FLAG = { shape: [], dtype: 'bool' } as const;

/**
 * Writes a graph that runs several times in one call, as ONNX's Loop. The state that one run leaves
 * for the next stays inside onnxruntime: handing it to JavaScript and back would copy all of it.
 *
 * @param carried inputs that each run takes from the run before it, each with the name of the output
 *   that it takes; these inputs and outputs have the same shapes as in the graph. Every other input
 *   and output has one more axis in front, with an entry for each run.
 * @throws Error if the graph has no output of a name in `carried`
 */
export function encodeRepeated(
  graph: Graph,
  carried: ReadonlyMap<string, string>,
  options: EncodeOptions,
): Uint8Array {
  const { dim, name } = options;
  const opset = opsetOf(graph, options.opset);
  const roles = rolesOf(graph, carried);
  const { taken, kept, fed, given } = roles;
  return encodeModel(
    create(GraphProtoSchema, {
      name,
      node: [loopNode(roles, bodyOf(graph, roles, opset, dim))],
      input: [
        valueInfo(TIMES, COUNTER, dim),
        ...taken.map((v) => valueInfo(v.name as string, v, dim)),
        ...fed.map((v) => valueInfo(v.name as string, v, dim, TIMES)),
      ],
      output: [
        ...kept.map((o) => valueInfo(o.name, o.value, dim)),
        ...given.map((o) => valueInfo(o.name, o.value, dim, TIMES)),
      ],
    }),
    opset,
    options,
  );
}

/** The loop's body: one run of the graph, which picks its own entry of what is fed. */
function bodyOf(
  graph: Graph,
  { taken, kept, fed, given }: Roles,
  opset: number,
  dim: EncodeOptions['dim'],
) {
  const inner = encodeNodes(graph, opset, INSIDE);
  const picks = fed.map(({ name = '' }) => node('Gather', [name, STEP], [INSIDE + name]));
  return create(GraphProtoSchema, {
    name: 'one run',
    node: [...picks, ...inner.nodes, node('Identity', [GO_ON], [GOES_ON])],
    initializer: inner.initializers,
    input: [
      valueInfo(STEP, COUNTER, dim),
      valueInfo(GO_ON, FLAG, dim),
      ...taken.map((v) => valueInfo(INSIDE + v.name, v, dim)),
    ],
    output: [
      valueInfo(GOES_ON, FLAG, dim),
      ...[...kept, ...given].map(({ name, value }) => valueInfo(INSIDE + name, value, dim)),
    ],
  });
}

const node = (opType: string, input: string[], output: string[]): NodeProto =>
  create(NodeProtoSchema, { opType, input, output });

const loopNode = ({ taken, kept, given }: Roles, body: GraphProto): NodeProto =>
  create(NodeProtoSchema, {
    opType: 'Loop',
    input: [TIMES, '', ...taken.map(({ name = '' }) => name)],
    output: [...kept, ...given].map(({ name }) => name),
    attribute: [
      create(AttributeProtoSchema, {
        name: 'body',
        type: AttributeProto_AttributeType.GRAPH,
        g: body,
      }),
    ],
  });
