/**
 * Computations over all pairs of rows of two sets, as matrix products. ONNX Runtime computes them a
 * hundred times faster than a loop, in blocks so that the whole matrix is never in memory.
 */
import { spec, type Tensors, trace } from '@gpn/export/trace';
import { openSession } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { floats } from '../../data/tensors.js';
import { meanOf, type Rows, rowsOf, sameSize } from './rows.js';

/** Values in the matrix of a block: 16 MiB of float32. */
const BLOCK = 2 ** 22;

/** The specs of the inputs of a block's graph. */
const blockInputs = (block: number, { count, size }: Rows) => ({
  queries: spec([block, size]),
  references: spec([count, size]),
  /** The squared length of each reference. */
  lengths: spec([count]),
  /** One number for each reference, from the caller. */
  radii: spec([count]),
});
type BlockInputs = Tensors<ReturnType<typeof blockInputs>>;

/**
 * Computes a function of queries and all references, block by block over the queries.
 *
 * @param f returns tensors [B] or [B, width], a row for each query
 * @returns the rows of all queries, one after the other
 * @throws RangeError if the rows of the two sets differ in size
 */
async function overQueries<K extends string>(
  f: (inputs: BlockInputs) => Record<K, tf.Tensor>,
  queries: Rows,
  references: Rows,
  radii: Float32Array = new Float32Array(references.count),
): Promise<Record<K, Float32Array>> {
  sameSize(queries, references);
  const { size } = queries;
  const block = Math.min(queries.count, 1024, Math.max(8, Math.floor(BLOCK / references.count)));
  const model = trace(f, blockInputs(block, references));
  const session = await openSession(model.toBytes(), { device: 'cpu', label: 'A comparison' });
  const fixed = {
    references: floats([references.count, size], float32(references.data)),
    lengths: floats([references.count], squaredLengths(references)),
    radii: floats([references.count], radii),
  };
  const results: Record<string, Float32Array> = {};
  try {
    for (let at = 0; at < queries.count; at += block) {
      const n = Math.min(block, queries.count - at);
      const data = new Float32Array(block * size); // the last block is padded with zeros
      data.set(queries.data.subarray(at * size, (at + n) * size));
      const feeds = { ...fixed, queries: floats([block, size], data) };
      const wanted = session.inputNames.map((name) => [name, feeds[name as keyof typeof feeds]]);
      const outputs = await session.run(Object.fromEntries(wanted));
      for (const [name, { data: part }] of Object.entries(outputs)) {
        const width = part.length / block;
        results[name] ??= new Float32Array(queries.count * width);
        results[name].set((part as Float32Array).subarray(0, n * width), at * width);
      }
    }
  } finally {
    await session.dispose();
  }
  return results as Record<K, Float32Array>;
}

const float32 = (data: Rows['data']): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);

/**
 * The nearness of each reference to each query, [B, M]: 2 q·r − |r|², which equals |q|² − |q − r|². The
 * term |q|² is constant along a row, so it need not be added to the whole matrix.
 */
const nearness = ({ queries, references, lengths }: BlockInputs): tf.Tensor =>
  tf.sub(tf.matMul(tf.mul(queries, 2), references, false, true), lengths);

const squaredLengths = ({ data, count, size }: Rows): Float32Array =>
  Float32Array.from({ length: count }, (_, k) => {
    let sum = 0;
    for (let i = k * size; i < (k + 1) * size; i++) sum += (data[i] as number) ** 2;
    return sum;
  });

/** Subtracts the mean of the second set from both. Distances stay, and rounding errors get smaller. */
function centred(queries: Rows, references: Rows): [Rows, Rows] {
  const mean = meanOf(references);
  const less = ({ data, count, size }: Rows): Rows => {
    const out = new Float32Array(data.length);
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < size; i++) {
        out[k * size + i] = (data[k * size + i] as number) - (mean[i] as number);
      }
    }
    return rowsOf(out, size);
  };
  const second = less(references);
  return [queries === references ? second : less(queries), second];
}

/** The k nearest references of each query. */
export interface NearestNeighbours {
  readonly k: number;
  /** Squared Euclidean distances, [queries, k], the nearest first. */
  readonly squared: Float32Array;
  /** The indices of the references, [queries, k]. */
  readonly places: Float32Array;
}

/**
 * The k references nearest to each query. A query that is also a reference finds itself first.
 *
 * @throws RangeError if there are fewer than k references
 */
export async function nearestNeighbours(
  queries: Rows,
  references: Rows,
  k: number,
): Promise<NearestNeighbours> {
  if (k > references.count) {
    throw new RangeError(`${references.count} rows have no ${k} nearest among them`);
  }
  const [q, r] = centred(queries, references);
  const { values, places } = await overQueries(
    (inputs) => {
      const { values, indices } = tf.topk(nearness(inputs), k);
      return { values, places: tf.cast(indices, 'float32') };
    },
    q,
    r,
  );
  return { k, squared: distancesFrom(values, q), places };
}

/**
 * For each query, the number of balls around references that contain it, without their surfaces, and
 * the squared distance to the nearest reference.
 *
 * @param radii the squared radius of each ball, one for each reference
 * @returns two arrays of [queries]
 */
export async function ballsAround(
  queries: Rows,
  references: Rows,
  radii: Float32Array,
): Promise<{ balls: Float32Array; squared: Float32Array }> {
  const [q, r] = centred(queries, references);
  const { balls, values } = await overQueries(
    (inputs) => {
      const near = nearness(inputs);
      // |q − r|² < radius if and only if nearness + radius > |q|².
      const within = tf.greater(
        tf.add(near, inputs.radii),
        tf.sum(tf.square(inputs.queries), 1, true),
      );
      return { balls: tf.sum(tf.cast(within, 'float32'), 1), values: tf.max(near, 1) };
    },
    q,
    r,
    radii,
  );
  return { balls, squared: distancesFrom(values, q) };
}

/** The squared distances of all queries to all references, [queries, references], which is large. */
export async function squaredDistances(queries: Rows, references: Rows): Promise<Float32Array> {
  const [q, r] = centred(queries, references);
  const { values } = await overQueries((inputs) => ({ values: nearness(inputs) }), q, r);
  return distancesFrom(values, q);
}

/** Converts rows of {@link nearness} to squared distances. */
function distancesFrom(values: Float32Array, queries: Rows): Float32Array {
  const lengths = squaredLengths(queries);
  const width = values.length / queries.count;
  return values.map((x, i) => Math.max(0, (lengths[Math.floor(i / width)] as number) - x));
}

/** The dot products of all rows of two sets, [a, b]; for sets of about a thousand rows. */
export async function products(a: Rows, b: Rows): Promise<Float32Array> {
  const found = await overQueries(
    ({ queries, references }) => ({ products: tf.matMul(queries, references, false, true) }),
    a,
    b,
  );
  return found.products;
}
