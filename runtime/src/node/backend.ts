/** How ONNX Runtime is loaded under Node, where it can run, and how to tell why it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { reasonOf } from '../errors.js';
import {
  type Backend,
  type Device,
  type DeviceRule,
  type OpenOptions,
  type Ort,
  openWith,
  type Session,
  threadsNote,
} from '../session/ort-session.js';
import { processors } from './processors.js';

const hasEntry = (folder: string, pattern: RegExp): boolean => {
  try {
    return readdirSync(folder).some((name) => pattern.test(name));
  } catch {
    return false;
  }
};

// /dev/dxg is the GPU of the Windows Subsystem for Linux.
const hasNvidia = () => hasEntry('/dev', /^nvidia\d+$/) || existsSync('/dev/dxg');
const hasGpu = () => hasEntry('/dev/dri', /^renderD\d+$/) || hasNvidia();

/** In the order in which `auto` tries them. */
const DEVICES: Readonly<Record<Device, DeviceRule>> = {
  cuda: {
    absent: () => (platform === 'linux' && !hasNvidia() ? 'no NVIDIA GPU found' : undefined),
    fault: /cuda|cudnn|cublas|execution ?provider|backend not found|shared library/i,
    remedy:
      'it needs linux-x64, an NVIDIA driver, CUDA 12, cuDNN 9 and the provider that ' +
      '`ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js` fetches',
  },
  webgpu: {
    // A software adapter would work too, but it is not a GPU and is slower than `cpu`.
    absent: () => (platform === 'linux' && !hasGpu() ? 'no GPU found' : undefined),
    fault: /webgpu|wgpu|dawn|vulkan|adapter|execution ?provider|backend not found/i,
    remedy: 'it needs a GPU with a Vulkan, Metal or Direct3D 12 driver (on Linux also libvulkan1)',
  },
  cpu: {
    fault: /(?!)/, // no error is the CPU's fault, except that there may be no binary for it
    remedy: 'it needs the binary of onnxruntime-node',
    instead: 'wasm',
  },
  wasm: {
    fault: /backend|fetch|import|WebAssembly/i,
    remedy: 'it needs WebAssembly and the package onnxruntime-web',
  },
};

const threadsOf = ({ threads }: OpenOptions): number => threads ?? processors();

/** What `load` gives, once: with the first session, so that a program's `--help` does not wait. */
function once(
  load: (options: OpenOptions) => Promise<Ort>,
): (options: OpenOptions) => Promise<Ort> {
  let loading: Promise<Ort> | undefined;
  return (options) => {
    loading ??= load(options).then((ort) => {
      ort.env.logLevel = 'fatal'; // what matters is thrown as well; warnings would litter stderr
      return ort;
    });
    return loading;
  };
}

/** In words of this machine, why the package with the binary did not load. */
function missing(error: unknown): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  const reason = reasonOf(error);
  if (!/MODULE_NOT_FOUND/.test(code)) {
    return new Error(`onnxruntime-node's binary does not load here (${reason})`);
  }
  return new Error(
    /onnxruntime_binding/.test(reason)
      ? `onnxruntime-node has no binary for ${platform}-${arch}`
      : 'onnxruntime-node is not installed',
  );
}

// The comments tell webpack to leave both packages in node_modules, with the files beside them.
const loadNative = once(() =>
  import(/* webpackIgnore: true */ 'onnxruntime-node').then(
    ({ default: ort }) => ort,
    (error) => Promise.reject(missing(error)),
  ),
);

let wasmThreads = 1;
const loadWasm = once(async (options) => {
  const ort = await import(/* webpackIgnore: true */ 'onnxruntime-web');
  wasmThreads = threadsOf(options); // of all models: the build takes the number when it starts
  ort.env.wasm.numThreads = wasmThreads;
  return ort;
});

const THREADS: Readonly<Partial<Record<Device, (options: OpenOptions) => number>>> = {
  cpu: threadsOf,
  wasm: () => wasmThreads,
};

/**
 * How long a thread that has nothing to do looks for work before it sleeps, in microseconds. Beside
 * other work, the thread that is waited for may have been put aside, and what the wait takes is taken
 * from it; without any wait, a quiet machine spends its time waking threads. A step of dcgan-mnist on
 * two processors, in turns with ONNX Runtime's own setting: 50 ms and 51 ms quiet, 110 ms and 132 ms
 * beside two busy processes. `npm run bench:train -- --busy 2` measures this one.
 */
const SPIN_MICROSECONDS = 50;

/** Settings of ONNX Runtime's threads that are not options of its own binding. */
export const THREADING = {
  session: { intra_op: { spin_duration_us: String(SPIN_MICROSECONDS) } },
};

const backend: Backend = {
  devices: DEVICES,
  load: (device, options) => (device === 'wasm' ? loadWasm : loadNative)(options),
  settings: (device, { optimization = 'all', profile, ...options }) => ({
    executionProviders: [device],
    graphOptimizationLevel: optimization,
    intraOpNumThreads: threadsOf(options),
    interOpNumThreads: 1,
    ...(device === 'cpu' && { extra: THREADING }),
    logSeverityLevel: 4,
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
  }),
  note: async (device, options) => {
    const threads = THREADS[device]?.(options);
    return threads === undefined ? undefined : threadsNote(threads);
  },
};

/** Opens a model in this thread, whether it is the main thread or a worker's. */
export const openHere = (model: Uint8Array, options: OpenOptions): Promise<Session> =>
  openWith(backend, model, options);
