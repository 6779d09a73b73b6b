/**
 * Sessions of ONNX Runtime, and the only place that calls it. A backend, one for Node and one for
 * browsers, says which build to load and which devices it has.
 */
import type { InferenceSession } from 'onnxruntime-common';
import { reasonOf, UserError } from '../errors.js';
import type { Limits } from '../format/limits.js';
import type { Held } from './held.js';
import type { Ort, TensorData } from './tensors.js';

export type { DType, Ort, TensorData } from './tensors.js';

/** Where a model can run: under Node all of these, in a browser `webgpu` and `wasm`. */
export type Device = 'cpu' | 'cuda' | 'webgpu' | 'wasm';

/** How to tell whether a device can be used. */
export interface DeviceRule {
  /** Why `auto` skips the device without trying it; undefined if it may be present. */
  absent?(): string | undefined | Promise<string | undefined>;
  /** Matches errors caused by the device rather than by the model. */
  fault: RegExp;
  /** What the device needs, as the end of a sentence. */
  remedy: string;
  /** The device that takes its place where it cannot be used, even if it was asked for by name. */
  instead?: Device;
}

/** A build of ONNX Runtime and the devices it can run on. */
export interface Backend {
  /** In the order in which `auto` tries them. */
  devices: Readonly<Partial<Record<Device, DeviceRule>>>;
  /** An error says what this machine lacks: it is never the model's fault. */
  load(device: Device, options: OpenOptions): Promise<Ort>;
  settings(device: Device, options: OpenOptions): InferenceSession.SessionOptions;
  /** What to add to the reason why a device was chosen, such as its threads. */
  note?(device: Device, options: OpenOptions): Promise<string | undefined>;
}

/** An input or output of a model. A dimension that is known only at run time has a name. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

/** How a session is opened. */
export interface OpenOptions {
  /**
   * `auto`, the default, takes the first device that works: cuda, webgpu, cpu, wasm; in a browser
   * webgpu, wasm. Where Node has no binary of ONNX Runtime, `cpu` is computed by `wasm`.
   */
  device?: Device | 'auto';
  /**
   * Threads of the `cpu` and `wasm` devices, from 1. The default is as many as this process may use
   * at once; in a browser 4 at most, and always 1 unless the page is cross-origin isolated. All models
   * on `wasm` share the threads of the first.
   */
  threads?: number;
  /**
   * Computes in a worker: in a browser in a thread of its own, under Node in a process of its own.
   * The default is true in a browser and with `limits`, and otherwise false. A URL names the script
   * where a bundler has put it; a worker that runs already is used again.
   */
  worker?: boolean | string | URL;
  /**
   * What the model may take; a model with limits has a worker of its own, which is ended at a limit.
   * With `worker: false` only what the file itself tells is checked.
   */
  limits?: Limits;
  /** Stops the opening; in a worker within a second, even from native code. */
  signal?: AbortSignal;
  /** In a browser: the URL of the folder that holds ONNX Runtime's files. */
  assets?: string | URL;
  /** How far ONNX Runtime optimizes the graph before it runs; `all` by default. */
  optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * On WebGPU this model is opened in place of the other, and in a browser these outputs of it stay in the
   * GPU's buffers. They can be fed to the next run of the session as they are; a run frees what was held
   * before and it is not fed. A run that fetches inputs alone computes nothing, and gives back what they
   * hold. On other devices nothing is held.
   */
  hold?: { readonly model: Uint8Array; readonly outputs: readonly string[] };
  /** Under Node: writes ONNX Runtime's profile to `<profile>_<time>.json` on disposal. */
  profile?: string;
  /** What to call the model in an error; its path by default, if it has one. */
  label?: string;
}

/** A model that was opened on a device. Only `dispose` frees its memory. */
export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly device: Device;
  /** Why this device was chosen, and why those before it were not. */
  readonly reason: string;
  /**
   * Runs the model once. Calls are queued.
   *
   * @param feeds every input by its name; they must not change before the run ends
   * @param fetch the names of the outputs wanted; all of them by default
   * @param signal rejects with its reason; a worker ends the run within a second, and without one it
   *   goes on unseen
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    fetch?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Record<string, TensorData>>;
  /** Frees the model's memory, once the runs that were queued before are done. */
  dispose(): Promise<void>;
}

/** `1 thread`, `2 threads` and so on, for messages. */
export const threadsNote = (threads: number): string =>
  `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

// Two concurrent runs break a session, and creating sessions concurrently gains nothing.
let tail: Promise<unknown> = Promise.resolve();

function enqueue<T>(task: () => Promise<T>): Promise<T> {
  const result = tail.then(task);
  tail = result.catch(() => undefined);
  return result;
}

/**
 * Opens a model on the device that was asked for, or on the first that works.
 *
 * @param model the bytes of an .onnx file
 * @throws UserError if the model is not valid, or a device that was asked for cannot be used
 */
export async function openWith(
  backend: Backend,
  model: Uint8Array,
  options: OpenOptions,
): Promise<Session> {
  const { device = 'auto', threads } = options;
  const auto = Object.keys(backend.devices) as Device[];
  if (device !== 'auto' && !auto.includes(device)) {
    throw new UserError(`There is no device "${device}": use auto, ${auto.join(', ')}.`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new UserError(`The number of threads must be a whole number from 1, not ${threads}.`);
  }
  const { instead } = device === 'auto' ? {} : (backend.devices[device] as DeviceRule);
  const devices = device === 'auto' ? auto : [device, ...(instead ? [instead] : [])];
  return enqueue(() => firstThatOpens(backend, model, devices, options));
}

/** Devices with the reasons why they were skipped; neighbours with the same reason share it. */
const listed = (skipped: readonly (readonly [Device, string])[]): string =>
  skipped
    .map(([device, why], i) =>
      why === skipped[i + 1]?.[1] ? `${device}, ` : `${device}: ${why}; `,
    )
    .join('');

async function firstThatOpens(
  backend: Backend,
  model: Uint8Array,
  devices: readonly Device[],
  options: OpenOptions,
): Promise<Session> {
  const { label = 'The model', device: asked = 'auto' } = options;
  const named = asked !== 'auto';
  const skipped: [Device, string][] = [];
  // ONNX Runtime's own list of providers is not a fallback chain: it throws if the first one fails.
  for (const device of devices) {
    const rule = backend.devices[device] as DeviceRule;
    const absent = named ? undefined : await rule.absent?.();
    if (absent) {
      skipped.push([device, absent]);
      continue;
    }
    let ort: Ort | undefined;
    try {
      ort = await backend.load(device, options);
      const { hold } = device === 'webgpu' ? options : {};
      const held = hold && new (await import('./held.js')).Held();
      const inner = await ort.InferenceSession.create(hold?.model ?? model, {
        ...backend.settings(device, options),
        ...held?.settings(hold?.outputs),
      });
      const why = named ? 'as asked' : 'the first that works';
      const note = await backend.note?.(device, options);
      const taken = skipped.length > 0 ? `${listed(skipped)}using ${device}` : `${device}: ${why}`;
      const reason = note === undefined ? taken : `${taken}, ${note}`;
      return sessionOf(ort, inner, device, reason, options.profile, held);
    } catch (error) {
      if (error instanceof UserError) throw error; // says all that there is to say
      const cause = shortReason(error);
      if (ort !== undefined && !rule.fault.test(cause)) {
        throw new UserError(`${label} is not a model that ONNX Runtime can load: ${cause}.`);
      }
      const cannot = `The device ${device} cannot be used (${cause}): ${rule.remedy}.`;
      if (device === devices.at(-1)) throw new UserError(cannot);
      skipped.push([device, cause]);
    }
  }
  throw new Error('unreachable'); // the last device either opens or throws
}

/** ONNX Runtime's message without its source files and failed conditions. */
const shortReason = (error: unknown): string =>
  reasonOf(error)
    .replace(/^\/\S+\.(cc|h):\d+ .* was false\. /, '')
    .replace(/^\[ONNXRuntimeError\] : \d+ : /, '');

/** A session that is open on a device, as `InferenceSession.create` gave it. */
function sessionOf(
  { Tensor }: Ort,
  opened: InferenceSession,
  device: Device,
  reason: string,
  profile: string | undefined,
  held: Held | undefined,
): Session {
  let inner: InferenceSession | undefined = opened;
  const { inputNames, outputNames, inputMetadata, outputMetadata } = opened;
  return {
    ...{ device, reason, inputNames, outputNames },
    inputs: inputMetadata.map(tensorInfo),
    outputs: outputMetadata.map(tensorInfo),
    run: (feeds, fetch = outputNames) =>
      enqueue(async () => {
        if (inner === undefined) throw new Error('This session was disposed of');
        if (held) return held.run(Tensor, inner, feeds, fetch);
        const wrapped: Record<string, InstanceType<typeof Tensor>> = {};
        for (const name in feeds) {
          const { dtype, data, shape } = feeds[name] as TensorData;
          wrapped[name] = new Tensor(dtype, data, shape);
        }
        const fetched = await inner.run(wrapped, fetch);
        const results: Record<string, TensorData> = {};
        for (const name of fetch) {
          const { type, dims, data } = fetched[name] as InstanceType<typeof Tensor>;
          results[name] = { dtype: type, shape: dims, data } as TensorData;
        }
        return results;
      }),
    dispose: () =>
      enqueue(async () => {
        const ending = inner;
        inner = undefined;
        held?.free();
        if (profile !== undefined) ending?.endProfiling();
        await ending?.release();
      }),
  };
}

const tensorInfo = (value: InferenceSession.ValueMetadata): TensorInfo =>
  value.isTensor
    ? { name: value.name, dtype: value.type, shape: value.shape }
    : { name: value.name, dtype: 'not a tensor', shape: [] };
