/** How ONNX Runtime is loaded under Node, where it can run, and how to tell why it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { platform } from 'node:process';
import {
  type Backend,
  type DeviceRule,
  type OpenOptions,
  type Ort,
  openWith,
  type Session,
  threadsNote,
} from '../session/ort-session.js';

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
const DEVICES: Readonly<Record<'cuda' | 'webgpu' | 'cpu', DeviceRule>> = {
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
    absent: () => undefined,
    fault: /(?!)/, // no error is the CPU's fault
    remedy: '',
  },
};

let loading: Promise<Ort> | undefined;

// Loaded with the first session, so that a program's `--help` does not wait for it.
function loadOrt(): Promise<Ort> {
  loading ??= import('onnxruntime-node').then(({ default: ort }) => {
    ort.env.logLevel = 'fatal'; // what matters is thrown as well; warnings would litter stderr
    return ort;
  });
  return loading;
}

const threadsOf = ({ threads }: OpenOptions): number => threads ?? availableParallelism();

const backend: Backend = {
  devices: DEVICES,
  load: loadOrt,
  settings: (device, { optimization = 'all', profile, ...options }) => ({
    executionProviders: [device],
    graphOptimizationLevel: optimization,
    intraOpNumThreads: threadsOf(options),
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
  }),
  note: async (device, options) => (device === 'cpu' ? threadsNote(threadsOf(options)) : undefined),
};

/** Opens a model in this thread, whether it is the main thread or a worker's. */
export const openHere = (model: Uint8Array | string, options: OpenOptions): Promise<Session> =>
  openWith(backend, model, options);
