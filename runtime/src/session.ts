/** The one place that talks to ONNX Runtime. */
import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-common';
import { AUTO, DEVICES, type Device } from './devices.js';
import { reasonOf, UserError } from './errors.js';

type Ort = typeof import('onnxruntime-common');

interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

export type DType = keyof TypedArrays;

/**
 * A dense tensor: `data` holds the product of `shape` elements, row by row. A session reads its
 * inputs in place, so an output can be fed to the next run as it is; outputs are fresh arrays.
 */
export interface TensorData<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArrays[D];
}

/** An input or output of a model; a dimension that is only known at run time has a name. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

export interface OpenOptions {
  /** `auto` (the default) takes the first of cuda, webgpu, cpu that works. */
  device?: Device | 'auto';
  /** Threads of the `cpu` device; as many as this process may use at once unless given. */
  threads?: number;
  /** How far ONNX Runtime rewrites the graph first. */
  optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Write ONNX Runtime's profile to `<profile>_<time>.json` when the session is disposed of. */
  profile?: string;
  /** What to call the model in an error; the path, where it is opened by path. */
  label?: string;
}

// Two runs at once on one session break, and creating sessions side by side gains nothing.
let tail: Promise<unknown> = Promise.resolve();

function enqueue<T>(task: () => Promise<T>): Promise<T> {
  const result = tail.then(task);
  tail = result.catch(() => undefined);
  return result;
}

let loading: Promise<Ort> | undefined;

// Loaded with the first session, so that a program's `--help` does not wait for it.
function loadOrt(): Promise<Ort> {
  loading ??= import('onnxruntime-node').then(({ default: ort }) => {
    ort.env.logLevel = 'fatal'; // what matters is thrown as well; warnings would litter stderr
    return ort;
  });
  return loading;
}

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file, or its path
 * @throws UserError where the model is not valid, or a device that was named cannot be used
 */
export async function openSession(
  model: Uint8Array | string,
  options: OpenOptions = {},
): Promise<Session> {
  const { device = 'auto', label = typeof model === 'string' ? model : 'The model' } = options;
  if (device !== 'auto' && !Object.hasOwn(DEVICES, device)) {
    throw new UserError(`There is no device "${device}": use auto, ${AUTO.join(', ')}.`);
  }
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new UserError(`The number of threads is a whole number from 1, not ${threads}.`);
  }
  const ort = await loadOrt();
  return enqueue(() => firstThatOpens(ort, model, device, label, options));
}

async function firstThatOpens(
  ort: Ort,
  model: Uint8Array | string,
  device: Device | 'auto',
  label: string,
  options: OpenOptions,
): Promise<Session> {
  const passed: string[] = [];
  // ONNX Runtime's own list of providers is no fallback chain: it throws when the first one fails.
  for (const name of device === 'auto' ? AUTO : [device]) {
    const rule = DEVICES[name];
    const absent = device === 'auto' ? rule.absent() : undefined;
    if (absent !== undefined) {
      passed.push(`${name}: ${absent}`);
      continue;
    }
    try {
      const inner = await create(ort, model, ortOptions(name, options));
      const why = device === 'auto' ? 'the first that works' : 'as asked';
      const reason = passed.length > 0 ? `${passed.join('; ')}; using ${name}` : `${name}: ${why}`;
      return new Session(ort, inner, name, reason, options.profile !== undefined);
    } catch (error) {
      const cause = briefly(error);
      if (!rule.fault.test(cause)) {
        throw new UserError(`${label} is not a model that ONNX Runtime can load: ${cause}.`);
      }
      if (device !== 'auto') {
        throw new UserError(`The device ${name} cannot be used (${cause}): ${rule.remedy}.`);
      }
      passed.push(`${name}: ${cause}`);
    }
  }
  throw new Error('unreachable: the device cpu has no faults of its own');
}

const create = (ort: Ort, model: Uint8Array | string, options: InferenceSession.SessionOptions) =>
  typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options);

const ortOptions = (device: Device, options: OpenOptions): InferenceSession.SessionOptions => ({
  executionProviders: [device],
  graphOptimizationLevel: options.optimization ?? 'all',
  intraOpNumThreads: options.threads ?? availableParallelism(),
  interOpNumThreads: 1,
  logSeverityLevel: 4,
  ...(options.profile !== undefined && {
    enableProfiling: true,
    profileFilePrefix: options.profile,
  }),
});

/** The telling part of ONNX Runtime's message: without its source files and failed conditions. */
const briefly = (error: unknown): string =>
  reasonOf(error)
    .replace(/^\/\S+\.(cc|h):\d+ .* was false\. /, '')
    .replace(/^\[ONNXRuntimeError\] : \d+ : /, '')
    .replace(/\.$/, '');

/** A model on a device. Release it with {@link Session.dispose}: nothing else does. */
export class Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #ort: Ort;
  readonly #profiling: boolean;
  #inner: InferenceSession | undefined;

  constructor(
    ort: Ort,
    inner: InferenceSession,
    readonly device: Device,
    /** Why this device was taken, and why those before it were not. */
    readonly reason: string,
    profiling: boolean,
  ) {
    this.#ort = ort;
    this.#inner = inner;
    this.#profiling = profiling;
    this.inputNames = inner.inputNames;
    this.outputNames = inner.outputNames;
    this.inputs = inner.inputMetadata.map(tensorInfo);
    this.outputs = inner.outputMetadata.map(tensorInfo);
  }

  /**
   * Runs the model once; calls wait for one another.
   *
   * @param feeds every input by its name; must not change before the run ends
   * @param fetch the outputs wanted; all of them unless given
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    fetch: readonly string[] = this.outputNames,
  ): Promise<Record<string, TensorData>> {
    return enqueue(async () => {
      if (this.#inner === undefined) throw new Error('This session was disposed of');
      const { Tensor } = this.#ort;
      const wrapped: Record<string, InstanceType<typeof Tensor>> = {};
      for (const name in feeds) {
        const { dtype, data, shape } = feeds[name] as TensorData;
        wrapped[name] = new Tensor(dtype, data, shape);
      }
      const fetched = await this.#inner.run(wrapped, fetch);
      const results: Record<string, TensorData> = {};
      for (const name of fetch) {
        const { type, dims, data } = fetched[name] as InstanceType<typeof Tensor>;
        results[name] = { dtype: type, shape: dims, data } as TensorData;
      }
      return results;
    });
  }

  /** Frees the model's memory, after the runs that were asked for before. */
  dispose(): Promise<void> {
    return enqueue(async () => {
      const inner = this.#inner;
      this.#inner = undefined;
      if (this.#profiling) inner?.endProfiling();
      await inner?.release();
    });
  }
}

const tensorInfo = (value: InferenceSession.ValueMetadata): TensorInfo =>
  value.isTensor
    ? { name: value.name, dtype: value.type, shape: value.shape }
    : { name: value.name, dtype: 'not a tensor', shape: [] };
