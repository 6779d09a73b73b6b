/** Tensors that stay on their device between the runs of a session: see `OpenOptions.hold`. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Ort, TensorData } from './tensors.js';

type Tensors = Readonly<Record<string, TensorData>>;

/**
 * What a session holds: the held outputs of its last run, and what that run was fed of those before.
 * So a state can be stepped back once, and takes no more memory than twice.
 */
export class Held {
  readonly #tensors = new Map<number, Tensor>();
  #next = 0;

  /** Keeps outputs in the GPU's buffers, which only browsers give. */
  settings(outputs: readonly string[] = []): InferenceSession.SessionOptions {
    if (!globalThis.navigator || !('gpu' in navigator)) return {};
    const preferredOutputLocation = Object.fromEntries(outputs.map((name) => [name, 'gpu-buffer']));
    return { preferredOutputLocation } as InferenceSession.SessionOptions;
  }

  /** Runs a session, or reads what it is fed. @throws Error if what it is fed is not held any more */
  async run(
    Tensor: Ort['Tensor'],
    session: InferenceSession,
    feeds: Tensors,
    fetch: readonly string[],
  ): Promise<Record<string, TensorData>> {
    if (fetch.every((name) => feeds[name])) return this.#read(feeds, fetch);
    this.free(feeds);
    const given: Record<string, Tensor> = {};
    for (const name in feeds) {
      const { dtype, data, shape, held } = feeds[name] as TensorData;
      given[name] = held === undefined ? new Tensor(dtype, data, shape) : this.#of(held);
    }
    const fetched = await session.run(given, fetch);
    return Object.fromEntries(fetch.map((name) => [name, this.#result(fetched[name] as Tensor)]));
  }

  /** Frees what is held, but for what is among some tensors. */
  free(but: Tensors = {}): void {
    const kept = new Set(Object.values(but).map(({ held }) => held));
    for (const [number, tensor] of this.#tensors) {
      if (kept.has(number)) continue;
      tensor.dispose();
      this.#tensors.delete(number);
    }
  }

  async #read(feeds: Tensors, names: readonly string[]): Promise<Record<string, TensorData>> {
    const results: Record<string, TensorData> = {};
    for (const name of names) {
      const { dtype, shape, held } = feeds[name] as TensorData;
      // A copy, because what a tensor has downloaded stays its own.
      const data = (await this.#of(held).getData()).slice();
      results[name] = { dtype, shape, data } as TensorData;
    }
    return results;
  }

  #of(number: number | undefined): Tensor {
    const tensor = this.#tensors.get(number as number);
    if (tensor) return tensor;
    throw new Error('what was in the memory of the device is lost, because its worker has ended');
  }

  #result(tensor: Tensor): TensorData {
    const { type, dims, location } = tensor;
    if (location === 'cpu') return { dtype: type, shape: dims, data: tensor.data } as TensorData;
    const held = this.#next++;
    this.#tensors.set(held, tensor);
    return { dtype: type, shape: dims, data: new Float32Array(), held } as TensorData;
  }
}
