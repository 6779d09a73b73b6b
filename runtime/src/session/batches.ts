/** Runs a network over any number of items, a batch at a time, and checks it against its word. */
import { reasonOf, UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import type { Session, TensorData } from './ort-session.js';

/**
 * One input of a network: `data` holds the items' values one after the other, or gives those of
 * `n` items from item `at` on, so that not all need be in memory at once.
 */
export interface Feed {
  name: string;
  /** The shape of one item. */
  shape: readonly number[];
  data: Float32Array | ((at: number, n: number) => Float32Array);
}

/** A network that is ready to run. */
export interface Network {
  session: Session;
  info: ModelInfo;
  /** What to call it in an error. */
  label: string;
}

/** How a long computation is divided, followed and ended. */
export interface BatchOptions {
  /** Items in one run; 64 unless given. */
  batchSize?: number;
  /** Ends the computation after the run that is under way; what is awaited fails with its reason. */
  signal?: AbortSignal;
  /** Told after each run how many of all items are done. */
  onProgress?: (done: number, total: number) => void;
}

export const DEFAULT_BATCH = 64;

// 4 GiB of float32. More does not fit in most machines, and a typing error should say so.
const MAX_ELEMENTS = 2 ** 30;

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function checkCount(count: number, elements: number, what: string): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError(`The number of ${what} is a whole number from 1, not ${count}.`);
  }
  if (count * elements > MAX_ELEMENTS) {
    const most = Math.floor(MAX_ELEMENTS / elements);
    throw new UserError(`${count} ${what} are too many at once: ask for at most ${most}.`);
  }
}

/** Refuses a model whose inputs or outputs are not those that it says it has. */
export function checkSignature({ session, info, label }: Network): void {
  const inputs = [info.input, info.condition?.input, info.codes?.input].filter(
    (name) => name !== undefined,
  );
  const wrong = (what: string) => new UserError(`${label} describes itself wrongly: ${what}.`);
  for (const { name, dtype } of session.inputs) {
    if (!inputs.includes(name)) throw wrong(`it does not mention its input "${name}"`);
    if (dtype !== 'float32') throw wrong(`its input "${name}" is ${dtype}, not float32`);
  }
  const missing = inputs.find((name) => !session.inputNames.includes(name));
  if (missing !== undefined) throw wrong(`it has no input "${missing}"`);
  const output = session.outputs.find(({ name }) => name === info.output);
  if (output === undefined) throw wrong(`it has no output "${info.output}"`);
  if (output.dtype !== 'float32') throw wrong(`its output "${info.output}" is ${output.dtype}`);
}

/**
 * The network's main output over `count` items, in batches of at most `batchSize`.
 *
 * @param itemShape the shape of one item of the output; [1] stands for any shape of one element
 * @throws UserError where the model fails or gives another shape; the signal's reason
 */
export async function runBatches(
  network: Network,
  feeds: readonly Feed[],
  itemShape: readonly number[],
  count: number,
  { batchSize = DEFAULT_BATCH, signal, onProgress }: BatchOptions = {},
): Promise<Float32Array> {
  checkCount(batchSize, 1, 'images in a batch');
  const itemSize = product(itemShape);
  const whole = count > batchSize ? new Float32Array(count * itemSize) : undefined;
  for (let at = 0; at < count; at += batchSize) {
    signal?.throwIfAborted();
    const n = Math.min(batchSize, count - at);
    const batch = await runOnce(network, feeds, at, n);
    const { shape, data } = batch;
    const expected = [n, ...itemShape];
    const fits =
      itemSize === 1 ? shape[0] === n && data.length === n : shape.join() === expected.join();
    if (!fits) {
      throw new UserError(
        `${network.label} describes itself wrongly: its output is [${shape}], not [${expected}].`,
      );
    }
    onProgress?.(at + n, count);
    if (whole === undefined) return data;
    whole.set(data, at * itemSize);
    if (at + n < count) await turn();
  }
  return whole as Float32Array;
}

/** Lets timers and events have their turn: under Node a run itself never does. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    // A timer of no time takes a millisecond and more: Node has something quicker.
    (globalThis.setImmediate ?? setTimeout)(resolve);
  });

/** The network's main output over the `n` items of its feeds from item `at` on. */
export async function runOnce(
  { session, info, label }: Network,
  feeds: readonly Feed[],
  at: number,
  n: number,
): Promise<TensorData<'float32'>> {
  const inputs: Record<string, TensorData> = {};
  for (const { name, shape, data } of feeds) {
    const size = product(shape);
    inputs[name] = {
      dtype: 'float32',
      shape: [n, ...shape],
      data: typeof data === 'function' ? data(at, n) : data.subarray(at * size, (at + n) * size),
    };
  }
  try {
    const results = await session.run(inputs, [info.output]);
    return results[info.output] as TensorData<'float32'>;
  } catch (error) {
    throw new UserError(`${label} failed while running: ${reasonOf(error)}.`);
  }
}
