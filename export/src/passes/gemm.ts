import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { rewrite } from './rewrite.js';

/** A product of two matrices and a bias per column is one Gemm, whether the bias is constant or not. */
export function fuseBias(graph: Graph): Graph {
  const uses = graph.uses();
  return rewrite(graph, (node, inputs, b) => {
    if (node.op !== 'Add') return undefined;
    const side = inputs[0]?.node?.op === 'MatMul' ? 0 : 1;
    const [x, bias] = [inputs[side] as Value, inputs[1 - side] as Value];
    const product = x.node;
    if (product?.op !== 'MatMul' || uses.get(node.inputs[side] as Value) !== 1) return undefined;
    const [a, w] = product.inputs as [Value, Value];
    const columns = x.shape[1];
    const fits = a.shape.length === 2 && w.shape.length === 2 && bias.shape.at(-1) === columns;
    const isRow = bias.shape.length === 1 || (bias.shape.length === 2 && bias.shape[0] === 1);
    return fits && isRow ? [b.Gemm(a, w, b.Reshape(bias, [columns as number]))] : undefined;
  });
}
