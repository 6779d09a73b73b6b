/** Where a model can run under Node, and how to tell why it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { platform } from 'node:process';
import type { DeviceRule } from '../session/ort-session.js';

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

/** In the order in which `auto` tries them. */
export const DEVICES: Readonly<Record<'cuda' | 'webgpu' | 'cpu', DeviceRule>> = {
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
