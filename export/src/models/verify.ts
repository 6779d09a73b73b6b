import { type Graph, type Node, sizeOf, type Value } from '../graph.js';
import type { TensorSpec } from '../trace.js';
import type { ConvertedModel, HostTensor, HostTensors } from './convert.js';
import { ExportError } from './error.js';
import { FREE } from './shapes.js';

/** Runs the exported file, by whatever can: inputs by name, outputs by name. */
export type Runner = (inputs: HostTensors) => Promise<Readonly<Record<string, Computed>>>;

interface Computed {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

export interface ModelVerification {
  /** max |ours − TF.js's| / max |TF.js's|, the largest of all outputs and batches. */
  readonly difference: number;
  /** The output it occurred in. */
  readonly output: string;
  readonly tolerance: number;
  /** The batch sizes that were run; empty where the model's sizes are all fixed. */
  readonly batches: readonly number[];
}

/** Largest relative differences allowed. Half precision keeps 11 bits of each weight. */
export const TOLERANCE = { float32: 1e-4, float16: 1e-2 };

/**
 * Compares the exported file with the original, run by TF.js's cpu backend, on inputs drawn from a
 * seed, at two batch sizes where the batch is free.
 * @throws ExportError if they differ by more than the tolerance
 */
export async function verifyModel(
  converted: ConvertedModel,
  run: Runner,
  { seed = 0 }: { readonly seed?: number } = {},
): Promise<ModelVerification> {
  const free = [...converted.inputs.values()].some(({ shape }) => shape.includes(FREE));
  const tolerance = converted.float16 ? TOLERANCE.float16 : TOLERANCE.float32;
  let worst = { difference: 0, output: converted.outputs[0] ?? '' };
  for (const batch of free ? [1, 2] : [1]) {
    const inputs = drawInputs(converted, batch, seed);
    const expected = await converted.run(inputs);
    const actual = await run(inputs);
    for (const output of converted.outputs) {
      const difference = compare(actual[output], expected[output] as HostTensor);
      if (difference > worst.difference) worst = { difference, output };
    }
  }
  if (worst.difference > tolerance) {
    throw new ExportError(
      `The exported model differs from TF.js by ${worst.difference.toExponential(1)} of the largest ` +
        `value in its output "${worst.output}", where ${tolerance} is allowed, so nothing was written; ` +
        'please report the model.',
    );
  }
  return { ...worst, tolerance, batches: free ? [1, 2] : [] };
}

/** The largest difference, relative to the largest magnitude expected; infinite for other shapes. */
export function compare(actual: Computed | undefined, expected: HostTensor): number {
  if (!actual || `${actual.shape}` !== `${expected.shape}`) return Number.POSITIVE_INFINITY;
  let [largest, difference] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const [x, y] = [Number(actual.data[i]), expected.data[i] as number];
    // Infinities and NaNs must be the same ones.
    if (Object.is(x, y) || x === y) {
      if (Number.isFinite(y)) largest = Math.max(largest, Math.abs(y));
      continue;
    }
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(y));
    difference = Math.max(difference, Math.abs(x - y));
  }
  return difference === 0 ? 0 : difference / (largest || 1);
}

function drawInputs(converted: ConvertedModel, batch: number, seed: number): HostTensors {
  const inputs = [...converted.inputs].map(([name, spec], i) => {
    const shape = spec.shape.map((d) => (typeof d === 'string' ? batch : d));
    return [name, draw(spec, shape, indexBound(converted.model.graph, name), random(seed + i))];
  });
  return Object.fromEntries(inputs);
}

/** Numbers that any model can take: pixels in [0, 1), indices below the bound, digits, booleans. */
function draw(
  { dtype }: TensorSpec,
  shape: number[],
  bound: number | undefined,
  next: () => number,
): HostTensor {
  const below = (n: number) => () => Math.floor(next() * n);
  const fill = (pick: () => number) => Array.from({ length: sizeOf(shape) }, pick);
  if (dtype === 'bool') return { dtype, shape, data: Uint8Array.from(fill(below(2))) };
  if (dtype === 'int32') return { dtype, shape, data: Int32Array.from(fill(below(bound ?? 10))) };
  return { dtype: 'float32', shape, data: Float32Array.from(fill(bound ? below(bound) : next)) };
}

/** Marsaglia's xorshift32: uniform numbers in [0, 1). */
function random(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** What leaves an index an index. */
const KEEPS = new Set([
  'Cast',
  'Clip',
  'Concat',
  'Expand',
  'Reshape',
  'Slice',
  'Tile',
  'Transpose',
]);

/** If an input chooses rows of a table, how many the smallest has: any number is valid below it. */
export function indexBound(graph: Graph, name: string): number | undefined {
  const indices = new Set<Value>(graph.inputs.filter((v) => v.name === name));
  const bounds: number[] = [];
  for (const node of graph.order()) {
    if (!node.inputs.some((v) => v && indices.has(v))) continue;
    if (KEEPS.has(node.op)) indices.add(node.outputs[0] as Value);
    const bound = boundOf(node, indices);
    if (bound !== undefined) bounds.push(bound);
  }
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
}

function boundOf({ op, inputs, attrs }: Node, indices: ReadonlySet<Value>): number | undefined {
  const [first, second] = inputs as [Value, Value];
  if (op === 'Gather' && indices.has(second)) return first.shape[(attrs.axis as number) ?? 0];
  if (op === 'OneHot' && indices.has(first) && second.data) return Number(second.data[0]);
  return undefined;
}
