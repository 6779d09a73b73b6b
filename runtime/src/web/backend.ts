/** How ONNX Runtime is loaded in a browser, where it can run, and how to tell why it cannot. */
import { UserError } from '../errors.js';
import {
  type Backend,
  type DeviceRule,
  type OpenOptions,
  type Ort,
  openWith,
  type Session,
  threadsNote,
} from '../session/ort-session.js';

/** The version of onnxruntime-web that this package was tested with. */
export const ORT_VERSION = '1.30.0';

/** Where a page without a bundler gets the files from if it names no folder of its own. */
const CDN = `https://cdn.jsdelivr.net/npm/onnxruntime-web@${ORT_VERSION}/dist/`;

/** The build with WebGPU is twice as large: it is loaded only if a GPU was found. */
const BUILDS = {
  wasm: { file: 'ort.wasm.bundle.min', bundled: () => import('onnxruntime-web/wasm') },
  webgpu: { file: 'ort.webgpu.bundle.min', bundled: () => import('onnxruntime-web/webgpu') },
};

type WebDevice = keyof typeof BUILDS;

/** Each build looks for its .wasm file beside itself. */
const importFrom = (folder: string, file: string): Promise<Ort> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ new URL(file, folder).href);

/**
 * `webFiles` names the modules `.js`, because nginx and others do not know `.mjs` as scripts; in a
 * copy of onnxruntime-web's own folder they are `.mjs`.
 */
const importAsset = (folder: string, file: string): Promise<Ort> =>
  importFrom(folder, `${file}.js`).catch(() => importFrom(folder, `${file}.mjs`));

async function importBuild(device: WebDevice, assets: OpenOptions['assets']): Promise<Ort> {
  const { file, bundled } = BUILDS[device];
  if (assets !== undefined) return importAsset(String(assets), file);
  try {
    return await bundled();
  } catch {
    return importFrom(CDN, `${file}.mjs`); // no bundler has resolved the package's name
  }
}

/** A module of WebAssembly without any content: its mark and its version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** @throws UserError if the site forbids WebAssembly, which both builds need */
function checkWebAssembly(): void {
  if (globalThis.WebAssembly === undefined) return; // the build itself says so
  try {
    new WebAssembly.Module(EMPTY_MODULE);
  } catch {
    throw new UserError(
      "The site's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src.",
    );
  }
}

/** Several threads need shared memory, which a page has only if it is cross-origin isolated. */
const threadsOf = ({ threads }: OpenOptions): number =>
  globalThis.crossOriginIsolated
    ? (threads ?? Math.max(1, Math.min(4, navigator.hardwareConcurrency)))
    : 1;

interface Adapter {
  info?: { vendor?: string; architecture?: string; isFallbackAdapter?: boolean };
  isFallbackAdapter?: boolean;
}

async function adapter(): Promise<Adapter | null | undefined> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } };
  return gpu?.requestAdapter();
}

const isSoftware = ({ info, isFallbackAdapter }: Adapter): boolean | undefined =>
  info?.isFallbackAdapter ?? isFallbackAdapter;

const DEVICES: Record<WebDevice, DeviceRule> = {
  webgpu: {
    absent: async () => {
      const found = await adapter();
      if (found === undefined) return 'this browser offers no WebGPU';
      if (found === null) return 'no GPU found';
      return isSoftware(found) ? 'its adapter is software, not a GPU' : undefined;
    },
    fault: /webgpu|adapter|gpu|backend|fetch|import|network|wasm/i,
    remedy:
      'it needs a browser with WebGPU, and the files of onnxruntime-web from the folder `assets`',
  },
  wasm: {
    fault: /backend|fetch|import|network|WebAssembly/i,
    remedy: 'it needs WebAssembly, and the files of onnxruntime-web from the folder `assets`',
  },
};

const backend: Backend = {
  devices: DEVICES,
  async load(device, options) {
    checkWebAssembly();
    const ort = await importBuild(device as WebDevice, options.assets);
    ort.env.logLevel = 'fatal'; // what matters is thrown as well; warnings would litter the console
    ort.env.wasm.numThreads = threadsOf(options);
    return ort;
  },
  settings: (device, { optimization = 'all' }) => ({
    executionProviders: [device],
    graphOptimizationLevel: optimization,
    logSeverityLevel: 4,
  }),
  async note(device, options) {
    if (device === 'wasm') return threadsNote(threadsOf(options));
    const found = await adapter();
    return found && isSoftware(found) ? 'a software adapter' : found?.info?.vendor || undefined;
  },
};

/** Opens a model in this thread, whether it is the page's or a worker's. */
export const openHere = (model: Uint8Array, options: OpenOptions): Promise<Session> =>
  openWith(backend, model, options);
