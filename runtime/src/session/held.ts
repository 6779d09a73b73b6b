/** Tensors that stay on their device between the runs of a session. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { UserError } from '../errors.js';
import { fromOrt, type Ort, type TensorData, toOrt } from './tensors.js';

type Tensors = Record<string, TensorData>;

/**
 * What a session holds: the held outputs of its last run, and what that run was fed of those before.
 * So a state can be stepped back once, and takes no more memory than twice.
 */
export class Held {
  #tensors = new Map<number, Tensor>();
  #next = 0;

  /** Runs the session, or reads what is held: see `OpenOptions.hold`. */
  async run(
    ort: Ort,
    session: InferenceSession,
    feeds: Readonly<Tensors>,
    fetch: readonly string[],
  ): Promise<Tensors> {
    if (fetch.every((name) => feeds[name])) return this.#read(feeds, fetch);
    this.free(new Set(Object.values(feeds).map(({ held }) => held)));
    const given: Record<string, Tensor> = {};
    for (const name in feeds) given[name] = this.#tensor(ort, feeds[name] as TensorData);
    const fetched = await session.run(given, fetch);
    return Object.fromEntries(fetch.map((name) => [name, this.#result(fetched[name] as Tensor)]));
  }

  /** Frees what is held, but for some. */
  free(but: ReadonlySet<number | undefined> = new Set()): void {
    for (const [number, tensor] of this.#tensors) {
      if (but.has(number)) continue;
      tensor.dispose();
      this.#tensors.delete(number);
    }
  }

  async #read(feeds: Readonly<Tensors>, fetch: readonly string[]): Promise<Tensors> {
    const results: Tensors = {};
    for (const name of fetch) {
      const { dtype, shape, held } = feeds[name] as TensorData;
      const data = await this.#of(held).getData();
      // A copy, because the data of a tensor stays its own.
      results[name] = { dtype, shape, data: data.slice() } as TensorData;
    }
    return results;
  }

  #tensor(ort: Ort, given: TensorData): Tensor {
    return given.held === undefined ? toOrt(ort, given) : this.#of(given.held);
  }

  #of(number: number | undefined): Tensor {
    const tensor = this.#tensors.get(number as number);
    if (tensor) return tensor;
    throw new UserError(
      'What was in the memory of the device is lost, because its worker has ended: go on from what was kept last.',
    );
  }

  #result(tensor: Tensor): TensorData {
    if (tensor.location === 'cpu') return fromOrt(tensor);
    const held = this.#next++;
    this.#tensors.set(held, tensor);
    const { type, dims } = tensor;
    return { dtype: type, shape: dims, data: new Float32Array(), held } as TensorData;
  }
}
