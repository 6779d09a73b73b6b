import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { rewrite } from './rewrite.js';

/** Smaller constants save less than the node that widens them costs. */
const MIN_ELEMENTS = 64;

/** The largest number that float16 holds. */
const MAX = 65504;

/**
 * Stores the weights as float16, each widened by a Cast that onnxruntime computes once, when it
 * loads the file: half the size, and arithmetic, inputs and outputs in float32 as before. A weight
 * with values beyond ±65504 stays as it is.
 */
export function halveWeights(graph: Graph): Graph {
  return rewrite(graph, (node, inputs, b) => {
    if (!inputs.some((v) => v && isWeight(v))) return undefined;
    const widened = inputs.map((v) =>
      v && isWeight(v)
        ? b.Cast(b.constant(toFloat16(v.data as Float32Array), v.shape, 'float16'), 'float32')
        : v,
    );
    return b.graph.node(node.op, widened, node.attrs, node.outputs, node.bodies);
  });
}

function isWeight({ dtype, data }: Value): boolean {
  if (dtype !== 'float32' || !data || data.length < MIN_ELEMENTS) return false;
  return (data as Float32Array).every((x) => Math.abs(x) <= MAX || !Number.isFinite(x));
}

/** The bits of the nearest float16 of each number, ties to even (IEEE 754 binary16). */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, half);
}

function half(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  const shifted = exponent - 127 + 15;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted < -10) return sign;
  // Subnormal halves have no leading one of their own: it moves into the fraction.
  const [mantissa, drop] = shifted > 0 ? [fraction, 13] : [fraction | 0x800000, 14 - shifted];
  const kept = ((shifted > 0 ? shifted : 0) << 10) + (mantissa >>> drop);
  const rest = mantissa & ((1 << drop) - 1);
  const middle = 1 << (drop - 1);
  // A carry out of the fraction is the next exponent, as it should be.
  return sign | (kept + (rest > middle || (rest === middle && kept & 1) ? 1 : 0));
}
