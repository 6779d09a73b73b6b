/** Where a model can run under Node, and how to tell why it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { platform } from 'node:process';

export type Device = 'cpu' | 'cuda' | 'webgpu';

export interface DeviceRule {
  /** Why `auto` passes over the device without trying it; undefined if it may be there. */
  absent(): string | undefined;
  /** Tells an error of the device from one of the model. */
  fault: RegExp;
  /** How to get what is missing, as the end of a sentence. */
  remedy: string;
}

const nodes = (folder: string, pattern: RegExp): boolean => {
  try {
    return readdirSync(folder).some((name) => pattern.test(name));
  } catch {
    return false;
  }
};

// /dev/dxg is the GPU of the Windows Subsystem for Linux.
const hasNvidia = () => nodes('/dev', /^nvidia\d+$/) || existsSync('/dev/dxg');
const hasGpu = () => nodes('/dev/dri', /^renderD\d+$/) || hasNvidia();

export const DEVICES: Readonly<Record<Device, DeviceRule>> = {
  cuda: {
    absent: () => (platform === 'linux' && !hasNvidia() ? 'no NVIDIA GPU found' : undefined),
    fault: /cuda|cudnn|cublas|execution ?provider|backend not found|shared library/i,
    remedy:
      'it needs linux-x64, an NVIDIA driver, CUDA 12, cuDNN 9 and the provider that ' +
      '`ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js` fetches',
  },
  webgpu: {
    // A software adapter would answer too, but it is not a GPU and is slower than `cpu`.
    absent: () => (platform === 'linux' && !hasGpu() ? 'no GPU found' : undefined),
    fault: /webgpu|wgpu|dawn|vulkan|adapter|execution ?provider|backend not found/i,
    remedy: 'it needs a GPU with a Vulkan, Metal or Direct3D 12 driver (on Linux also libvulkan1)',
  },
  cpu: {
    absent: () => undefined,
    fault: /(?!)/,
    remedy: '',
  },
};

/** What `auto` tries, in this order. */
export const AUTO: readonly Device[] = ['cuda', 'webgpu', 'cpu'];
