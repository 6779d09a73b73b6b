import type { Graph } from '../graph/graph.js';
import type { Node, Value } from '../graph/value.js';
import { rewrite } from './rewrite.js';

/**
 * Takes a multiplication by a power of two into the products of matrices that its factor comes from:
 * there it is an attribute, `alpha`, and costs nothing. Such a number changes no digit wherever it is
 * multiplied, so the result is the same to the bit, unless a number on the way leaves float32's range.
 */
export function hoistScale(graph: Graph): Graph {
  const uses = graph.uses();
  const alphas = new Map<Node, number>();
  /** The multiplications that are no more, and which of their inputs stands for them. */
  const gone = new Map<Node, number>();
  for (const node of graph.order()) {
    const side = node.inputs[1]?.data ? 0 : 1;
    const [x, scale] = [node.inputs[side], node.inputs[1 - side]];
    if (node.op !== 'Mul' || !x || !isPowerOfTwo(scale)) continue;
    const products = sources(x, uses);
    if (products.length === 0 || products.some((product) => alphas.has(product))) continue;
    for (const product of products) alphas.set(product, Number(scale?.data?.[0]));
    gone.set(node, side);
  }
  return rewrite(graph, (node, inputs, b) => {
    const alpha = alphas.get(node);
    if (alpha !== undefined) {
      return b.op('Gemm', inputs, { ...node.attrs, alpha: { float: alpha } }, ...node.outputs);
    }
    const side = gone.get(node);
    return side === undefined ? undefined : [inputs[side] as Value];
  });
}

function isPowerOfTwo(v: Value | undefined): boolean {
  if (!v?.data || v.dtype !== 'float32' || v.shape.length > 0) return false;
  return Number.isInteger(Math.log2(Number(v.data[0])));
}

/** Which inputs of an operator, when they are scaled, scale its result. */
const SCALED_BY: Readonly<Record<string, 'the first' | 'all' | 'either'>> = {
  Reshape: 'the first',
  Transpose: 'the first',
  Gather: 'the first',
  Add: 'all',
  Mul: 'either',
};

/** The products that would have to be scaled to scale x, and nothing but x; none if that cannot be. */
function sources(x: Value, uses: ReadonlyMap<Value, number>): readonly Node[] {
  const { node } = x;
  if (!node || uses.get(x) !== 1) return [];
  if (isProduct(node)) return [node];
  const by = SCALED_BY[node.op];
  if (!by) return [];
  const inputs = by === 'the first' ? node.inputs.slice(0, 1) : node.inputs;
  const found = inputs.map((v) => (v ? sources(v, uses) : []));
  if (by === 'all' && found.some((products) => products.length === 0)) return [];
  return by === 'all' ? found.flat() : (found.find((products) => products.length > 0) ?? []);
}

/** Of two matrices and no more; onnxruntime's quick way to a single row has no `alpha`. */
const isProduct = ({ op, inputs, outputs, attrs }: Node): boolean =>
  (op === 'MatMul' || op === 'Gemm') &&
  inputs.length === 2 &&
  inputs.every((v) => v?.shape.length === 2) &&
  attrs.alpha === undefined &&
  outputs[0]?.shape[0] !== 1;
