/**
 * What takes every row of one set with every row of another: matrix products, which ONNX Runtime
 * does a hundred times faster than a loop, block by block so that no whole matrix is in memory.
 */
import { spec, trace } from '@gpn/export';
import { openSession, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { meanOf, type Rows, rows, sameSize } from './rows.js';

/** Numbers of a block's matrix: 16 MiB. */
const BLOCK = 2 ** 22;

interface BlockInputs {
  /** [B, size] */
  readonly queries: tf.Tensor2D;
  /** [M, size] */
  readonly references: tf.Tensor2D;
  /** [M] */
  readonly radii: tf.Tensor1D;
}

type Columns = Readonly<Record<string, tf.Tensor>>;

/**
 * A function of some queries and all references, over all queries.
 *
 * @param f gives tensors of [B] or [B, width], a row for each query
 * @returns those rows of all queries, one after the other
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
  const model = trace((inputs) => f(inputs as unknown as BlockInputs) as Columns, {
    queries: spec([block, size]),
    references: spec([references.count, size]),
    radii: spec([references.count]),
  });
  const session = await openSession(model.toBytes(), { device: 'cpu', label: 'A comparison' });
  const fixed = {
    references: tensor([references.count, size], float32(references.data)),
    radii: tensor([references.count], radii),
  };
  const results: Record<string, Float32Array> = {};
  try {
    for (let at = 0; at < queries.count; at += block) {
      const n = Math.min(block, queries.count - at);
      const data = new Float32Array(block * size); // the last block is filled up with zeros
      data.set(queries.data.subarray(at * size, (at + n) * size));
      const feeds = { ...fixed, queries: tensor([block, size], data) };
      const given = session.inputNames.map((name) => [name, feeds[name as keyof typeof feeds]]);
      const outputs = await session.run(Object.fromEntries(given));
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

const tensor = (shape: number[], data: Float32Array): TensorData => ({
  dtype: 'float32',
  shape,
  data,
});

const float32 = (data: Rows['data']): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);

const distancesOf = ({ queries, references }: BlockInputs): tf.Tensor2D => {
  const lengths = (x: tf.Tensor2D) => tf.sum(tf.square(x), 1);
  const products = tf.matMul(queries, references, false, true);
  const sums = tf.add(tf.expandDims(lengths(queries), 1), lengths(references));
  return tf.relu(tf.sub(sums, tf.mul(products, 2)));
};

/** Both sets less the mean of the second: their distances stay, and rounding takes less of them. */
function centred(queries: Rows, references: Rows): [Rows, Rows] {
  const mean = meanOf(references);
  const less = ({ data, size }: Rows): Rows =>
    rows(
      Float32Array.from(data, (x, i) => x - (mean[i % size] as number)),
      size,
    );
  return queries === references
    ? (([both]) => [both, both] as [Rows, Rows])([less(references)] as const)
    : [less(queries), less(references)];
}

export interface Nearest {
  readonly k: number;
  /** Squared Euclidean distances, [queries, k], the nearest first. */
  readonly squared: Float32Array;
  /** Which reference it is, [queries, k]. */
  readonly places: Float32Array;
}

/** The k references nearest to each query. A query that is among the references finds itself. */
export async function nearest(queries: Rows, references: Rows, k: number): Promise<Nearest> {
  if (k > references.count) {
    throw new RangeError(`${references.count} rows have no ${k} nearest among them`);
  }
  const found = await overQueries(
    (inputs) => {
      const { values, indices } = tf.topk(tf.neg(distancesOf(inputs)), k);
      return { squared: tf.neg(values), places: tf.cast(indices, 'float32') };
    },
    ...centred(queries, references),
  );
  return { k, ...found };
}

/**
 * For each query, in how many of the balls around the references it lies, its edge not included.
 *
 * @param radii the balls' squared radii, one for each reference
 */
export async function ballsAround(
  queries: Rows,
  references: Rows,
  radii: Float32Array,
): Promise<Float32Array> {
  const { balls } = await overQueries(
    (inputs) => {
      const within = tf.less(distancesOf(inputs), tf.expandDims(inputs.radii, 0));
      return { balls: tf.sum(tf.cast(within, 'float32'), 1) };
    },
    ...centred(queries, references),
    radii,
  );
  return balls;
}

/** The squared distance of each query to each reference, [queries, references]: mind its size. */
export async function squaredDistances(queries: Rows, references: Rows): Promise<Float32Array> {
  const found = await overQueries(
    (inputs) => ({ squared: distancesOf(inputs) }),
    ...centred(queries, references),
  );
  return found.squared;
}

/** The products of all rows of one set with all of another, [a, b]: for sets of a thousand or so. */
export async function products(a: Rows, b: Rows): Promise<Float32Array> {
  const found = await overQueries(
    ({ queries, references }) => ({ products: tf.matMul(queries, references, false, true) }),
    a,
    b,
  );
  return found.products;
}
