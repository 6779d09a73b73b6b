/** Runs a model over any number of items, a batch at a time, and checks its shapes. */
import { reasonOf, UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { product } from '../shape.js';
import type { Session, TensorData } from './ort-session.js';

/**
 * One input of a model. `data` holds the values of all items, one item after the other, or is a
 * function that returns those of `n` items from item `at` on, so that not all of them need to be
 * in memory at once.
 */
export interface Feed {
  name: string;
  /** The shape of one item. */
  shape: readonly number[];
  data: Float32Array | ((at: number, n: number) => Float32Array);
}

/** A model that is ready to run. */
export interface OpenModel {
  session: Session;
  info: ModelInfo;
  /** What to call the model in an error. */
  label: string;
}

/** How a long computation is divided, followed and stopped. */
export interface BatchOptions {
  /** Items in one run, from 1; 64 by default. */
  batchSize?: number;
  /**
   * Stops the computation: in a worker within a second, otherwise after the current run. The promise
   * is rejected with the signal's reason.
   */
  signal?: AbortSignal;
  /** Called after each run with the number of items done and the number of all items. */
  onProgress?: (done: number, total: number) => void;
}

const DEFAULT_BATCH = 64;

// 4 GiB of float32. More does not fit into most machines and is probably a typing error.
const MAX_ELEMENTS = 2 ** 30;

/** @throws UserError if `count` items of `elements` values each are none or too many */
export function checkCount(count: number, elements: number, what: string): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError(`The number of ${what} must be a whole number from 1, not ${count}.`);
  }
  if (count * elements > MAX_ELEMENTS) {
    const most = Math.floor(MAX_ELEMENTS / elements);
    throw new UserError(`${count} ${what} are too many at once: ask for at most ${most}.`);
  }
}

/** @throws UserError if the model's inputs or outputs are not those that its metadata names */
export function checkSignature({ session, info, label }: OpenModel): void {
  const inputs = [info.input, info.condition?.input, info.codes?.input].filter(
    (name) => name !== undefined,
  );
  const wrong = (what: string) => new UserError(`${label} does not match its metadata: ${what}.`);
  for (const { name, dtype } of session.inputs) {
    if (!inputs.includes(name)) throw wrong(`its metadata does not mention the input "${name}"`);
    if (dtype !== 'float32') throw wrong(`its input "${name}" is ${dtype}, not float32`);
  }
  const missing = inputs.find((name) => !session.inputNames.includes(name));
  if (missing !== undefined) throw wrong(`it has no input "${missing}"`);
  const output = session.outputs.find(({ name }) => name === info.output);
  if (output === undefined) throw wrong(`it has no output "${info.output}"`);
  if (output.dtype !== 'float32') throw wrong(`its output "${info.output}" is ${output.dtype}`);
}

/**
 * The model's main output for `count` items, computed in batches of at most `batchSize`.
 *
 * @param itemShape the shape of one item of the output; [1] stands for any shape with one element
 * @throws UserError if the model fails or gives another shape; the signal's reason if it stops
 */
export async function runBatches(
  model: OpenModel,
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
    const batch = await runOnce(model, feeds, at, n, signal);
    const { shape, data } = batch;
    const expected = [n, ...itemShape];
    const fits =
      itemSize === 1 ? shape[0] === n && data.length === n : shape.join() === expected.join();
    if (!fits) {
      throw new UserError(
        `${model.label} does not match its metadata: its output is [${shape}], not [${expected}].`,
      );
    }
    onProgress?.(at + n, count);
    if (whole === undefined) return data;
    whole.set(data, at * itemSize);
    if (at + n < count) await turn();
  }
  return whole as Float32Array;
}

/** Lets timers and events be handled: under Node a run itself blocks the event loop. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    // A timer of 0 ms takes at least a millisecond; Node has something quicker.
    (globalThis.setImmediate ?? setTimeout)(resolve);
  });

/** The model's main output for `n` items of its feeds, from item `at` on. */
export async function runOnce(
  { session, info, label }: OpenModel,
  feeds: readonly Feed[],
  at: number,
  n: number,
  signal?: AbortSignal,
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
    const results = await session.run(inputs, [info.output], signal);
    return results[info.output] as TensorData<'float32'>;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error; // it was stopped at a limit
    throw new UserError(`${label} failed while running: ${reasonOf(error)}.`);
  }
}
