import type { Builder } from '../graph/builder.js';
import type { Graph } from '../graph/graph.js';
import { sameShape, sizeOf } from '../graph/shapes.js';
import { isConstant, type Node, type Value } from '../graph/value.js';
import { rewrite, withInputs } from './rewrite.js';

/**
 * Takes multiplications and additions of constants into the weights and the bias of the linear
 * operator before them: a normalisation in inference mode, a bias, a scaling cost nothing then.
 * A linear operator that something else reads too is left alone.
 */
export function foldAffine(graph: Graph): Graph {
  const uses = graph.uses();
  return rewrite(graph, (node, inputs, b) => {
    // What lay between two reshapes may be gone: the builder makes one of them, or none.
    if (node.op === 'Reshape' && inputs[0]?.node?.op === 'Reshape') {
      return [b.Reshape(inputs[0], (node.outputs[0] as Value).shape)];
    }
    if (node.op !== 'Mul' && node.op !== 'Add') return undefined;
    const side = inputs[1] && isConstant(inputs[1]) ? 0 : 1;
    const [x, c] = [inputs[side] as Value, inputs[1 - side] as Value];
    const once = uses.get(node.inputs[side] as Value) === 1;
    const out = node.outputs[0] as Value;
    if (!isConstant(c) || !x.node || !once || out.dtype !== 'float32') return undefined;
    // A constant may repeat x along an axis, which no weight can.
    if (!sameShape(x.shape, out.shape)) return undefined;
    const folded = fold(b, node.op, x, c);
    return folded && [folded];
  });
}

/** The value x ∘ c with c taken into the operator that computes x, if that can be done. */
function fold(b: Builder, op: 'Mul' | 'Add', x: Value, c: Value): Value | undefined {
  const node = x.node as Node;
  if (node.op === 'Reshape') return throughReshape(b, op, x, c);
  const linear = LINEAR[node.op];
  const weights = node.inputs[1];
  if (!linear || !weights || !isConstant(weights)) return undefined;
  // With groups, the weights' second axis holds the channels of one group only.
  if (node.op === 'ConvTranspose' && node.attrs.group !== undefined) return undefined;
  // A batch of products has no Gemm.
  if (node.op === 'MatMul' && (x.shape.length !== 2 || weights.shape.length !== 2))
    return undefined;
  const channels = weights.shape[linear.weightAxis] as number;
  const perChannel = alongAxis(b, c, x.shape, linear.axis, channels);
  if (!perChannel) return undefined;
  const bias = node.inputs[2] ?? b.constant(new Float32Array(channels), [channels], 'float32');
  if (!isConstant(bias) || bias.shape.length !== 1) return undefined;
  if (op === 'Add') return linear.write(b, x, [node.inputs[0], weights, b.Add(bias, perChannel)]);
  const shape = weights.shape.map((_, i) => (i === linear.weightAxis ? channels : 1));
  const scaled = b.Mul(weights, b.Reshape(perChannel, shape));
  // A bias of zeros is not written until something is added.
  const inputs = [node.inputs[0], scaled, ...(node.inputs[2] ? [b.Mul(bias, perChannel)] : [])];
  return withInputs(b, node, inputs);
}

interface Linear {
  /** The axis of the result that holds the channels, negative from the end. */
  readonly axis: number;
  /** The axis of the weights that makes them. */
  readonly weightAxis: number;
  readonly write: (b: Builder, x: Value, inputs: (Value | undefined)[]) => Value;
}

const again: Linear['write'] = (b, x, inputs) => withInputs(b, x.node as Node, inputs);

const LINEAR: Readonly<Record<string, Linear>> = {
  Conv: { axis: 1, weightAxis: 0, write: again },
  ConvTranspose: { axis: 1, weightAxis: 1, write: again },
  Gemm: { axis: 1, weightAxis: 1, write: again },
  MatMul: {
    axis: 1,
    weightAxis: 1,
    write: (b, _, [x, weights, bias]) => b.Gemm(x as Value, weights as Value, bias),
  },
};

/** c as a vector of one value a channel, if it is constant along every other axis of `shape`. */
function alongAxis(
  b: Builder,
  c: Value,
  shape: readonly number[],
  axis: number,
  channels: number,
): Value | undefined {
  const size = sizeOf(c.shape);
  if (size === 1 && c.data) {
    const value = (c.data as Float32Array)[0] as number;
    return b.constant(new Float32Array(channels).fill(value), [channels], 'float32');
  }
  const fromEnd = shape.length - axis;
  const own = c.shape.length - fromEnd;
  return size === channels && c.shape[own] === channels ? b.Reshape(c, [channels]) : undefined;
}

/**
 * A product whose columns are then arranged as an image: c, laid over the image, is per column. Or
 * one whose rows are, and whose columns stay its last axis, as TF.js normalises matrices.
 */
function throughReshape(b: Builder, op: 'Mul' | 'Add', x: Value, c: Value): Value | undefined {
  const source = (x.node as Node).inputs[0] as Value;
  const isProduct = source.node && (source.node.op === 'MatMul' || source.node.op === 'Gemm');
  if (!isProduct || source.shape.length !== 2) return undefined;
  const [rows, columns] = source.shape as [number, number];
  if (x.shape.at(-1) === columns && sizeOf(c.shape) === columns && c.shape.at(-1) === columns) {
    const folded = fold(b, op, source, b.Reshape(c, [columns]));
    return folded && b.Reshape(folded, x.shape);
  }
  if (rows !== x.shape[0]) return undefined;
  const rest = x.shape.slice(1);
  if (c.shape.length === x.shape.length && c.shape[0] !== 1) return undefined;
  if (sizeOf(rest) !== source.shape[1]) return undefined;
  const zeros = b.constant(new Float32Array(sizeOf(rest)), rest, 'float32');
  const own = b.Reshape(c, c.shape.slice(Math.max(0, c.shape.length - rest.length)));
  const perColumn = b.Reshape(b.Add(zeros, own), [sizeOf(rest)]);
  const folded = fold(b, op, source, perColumn);
  return folded && b.Reshape(folded, x.shape);
}
