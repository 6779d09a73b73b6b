import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
} from 'onnx-buf';
import { type EncodeOptions, encodeModel, encodeNodes, valueInfo } from './encode.js';
import type { Graph } from './graph.js';

/** The input that says how often the graph runs: an int64 scalar. */
export const TIMES = 'times';

/** Set before the names inside the loop, where ONNX wants other names than outside. */
const INSIDE = 'in/';
const [STEP, GO_ON, GOES_ON] = ['step', 'go-on', 'goes-on'];

/**
 * Writes a graph that runs several times in one call, as ONNX's Loop. What a run leaves behind never
 * leaves onnxruntime in between: handing it to JavaScript and back is a copy of all of it.
 *
 * @param carried inputs that each run takes from the one before, by the name of the output that is
 *   the next run's; they and these outputs are as in the graph. Every other input and output has a
 *   first axis more, an entry for each run.
 */
export function encodeRepeated(
  graph: Graph,
  carried: ReadonlyMap<string, string>,
  options: EncodeOptions,
): Uint8Array {
  const { dim } = options;
  const inner = encodeNodes(graph, INSIDE);
  const isCarried = ({ name = '' }) => carried.has(name);
  const taken = graph.inputs.filter(isCarried);
  const fed = graph.inputs.filter((v) => !isCarried(v));
  const next = taken.map(({ name }) => carried.get(name as string));
  const left = next.map((name) => graph.outputs.find((o) => o.name === name));
  const missing = next.find((_, i) => !left[i]);
  if (missing) throw new Error(`the graph has no output ${missing} to carry on`);
  const kept = left as Graph['outputs'];
  const given = graph.outputs.filter((o) => !kept.includes(o));

  const [counter, flag] = [
    { shape: [], dtype: 'int64' },
    { shape: [], dtype: 'bool' },
  ] as const;
  const body = create(GraphProtoSchema, {
    name: 'one run',
    node: [
      ...fed.map(({ name = '' }) =>
        create(NodeProtoSchema, {
          opType: 'Gather',
          input: [name, STEP],
          output: [INSIDE + name],
        }),
      ),
      ...inner.nodes,
      create(NodeProtoSchema, { opType: 'Identity', input: [GO_ON], output: [GOES_ON] }),
    ],
    initializer: inner.initializers,
    input: [
      valueInfo(STEP, counter, dim),
      valueInfo(GO_ON, flag, dim),
      ...taken.map((v) => valueInfo(INSIDE + v.name, v, dim)),
    ],
    output: [
      valueInfo(GOES_ON, flag, dim),
      ...[...kept, ...given].map(({ name, value }) => valueInfo(INSIDE + name, value, dim)),
    ],
  });
  const loop = create(NodeProtoSchema, {
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
  return encodeModel(
    create(GraphProtoSchema, {
      name: options.name,
      node: [loop],
      input: [
        valueInfo(TIMES, counter, dim),
        ...taken.map((v) => valueInfo(v.name as string, v, dim)),
        ...fed.map((v) => valueInfo(v.name as string, v, dim, TIMES)),
      ],
      output: [
        ...kept.map(({ name, value }) => valueInfo(name, value, dim)),
        ...given.map(({ name, value }) => valueInfo(name, value, dim, TIMES)),
      ],
    }),
    options,
  );
}
