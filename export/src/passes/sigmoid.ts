import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { rewrite } from './rewrite.js';

/** Operators that rank or compare numbers. */
const COMPARES = new Set([
  'ArgMax',
  'ArgMin',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'NonMaxSuppression',
  'TopK',
]);

/** Operators whose results are numbers that they were given, or a product of them. */
const HANDS_ON = new Set([
  ...['Cast', 'Concat', 'Expand', 'Gather', 'GatherElements', 'GatherND', 'Identity', 'Pad'],
  ...['Reshape', 'Slice', 'Split', 'Squeeze', 'Tile', 'Transpose', 'Unsqueeze', 'Where'],
  ...['Max', 'MaxPool', 'Min', 'Mul', 'ReduceMax', 'ReduceMin', 'Sqrt'],
]);

/**
 * Writes a sigmoid that is an output, or is compared, as 1 / (1 + exp(−x)). That of ONNX Runtime on a
 * CPU gives multiples of 2⁻²⁵, and 0 below −18: small probabilities are off by as much as themselves,
 * and different ones are equal. Between layers neither matters, and one operator is quicker:
 * `npm run bench:sigmoid`.
 */
export function writeSigmoids(graph: Graph): Graph {
  const matters = new Set<Value>(graph.outputs.map(({ value }) => value));
  for (const { op, inputs, outputs } of graph.order().reverse()) {
    if (!COMPARES.has(op) && !(HANDS_ON.has(op) && outputs.some((v) => matters.has(v)))) continue;
    for (const v of inputs) if (v) matters.add(v);
  }
  return rewrite(graph, ({ op, outputs }, [x], b) => {
    if (op !== 'Sigmoid' || !x || !outputs.some((v) => matters.has(v))) return undefined;
    const one = b.float(1);
    return [b.Div(one, b.Add(one, b.map('Exp', [b.Neg(x)])))];
  });
}
