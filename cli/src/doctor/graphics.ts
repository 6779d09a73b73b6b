/** GPUs, and the Vulkan drivers through which WebGPU reaches them on Linux. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { platform } from 'node:process';
import { apt, type Finding } from './finding.js';
import { filesOf, firstLine } from './machine.js';

const AREA = 'Graphics';

/** PCI numbers of the vendors of GPUs. */
const VENDORS: Readonly<Record<string, string>> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
};

/** The GPUs of this machine; undefined if the system does not list them. */
export async function adapters(): Promise<string[] | undefined> {
  const nvidia = await firstLine(
    'nvidia-smi',
    '--query-gpu=name,driver_version',
    '--format=csv,noheader',
  );
  if (nvidia) return [`NVIDIA ${nvidia}`];
  if (platform !== 'linux') return undefined;
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : 'unknown');
  return filesOf('/dev/dri')
    .filter((name) => name.startsWith('renderD'))
    .map((name) => {
      const device = join('/sys/class/drm', name, 'device');
      const vendor = read(join(device, 'vendor'));
      return `${VENDORS[vendor] ?? vendor} ${read(join(device, 'device'))} (/dev/dri/${name})`;
    });
}

export interface Vulkan {
  /** The manifests of the drivers, and the environment variable that names them, if there is one. */
  readonly drivers: readonly string[];
  readonly variable?: string;
  /** Whether all of them compute on the CPU. */
  readonly software: boolean;
  readonly loader: boolean;
}

const SOFTWARE = /swiftshader|lvp|lavapipe|llvmpipe/i;
const DRIVERS = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];
const LIBRARIES = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/lib'];
const ARCHITECTURES = ['', 'x86_64-linux-gnu', 'aarch64-linux-gnu'];

/** What Vulkan's loader would find; undefined if WebGPU does not use Vulkan here. */
export function vulkan(env: NodeJS.ProcessEnv, gpus: number): Vulkan | undefined {
  if (platform !== 'linux') return undefined;
  // The newer name wins, as it does in the loader.
  const variable = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => env[name]);
  const drivers = variable
    ? (env[variable] as string).split(delimiter).filter((path) => existsSync(path))
    : DRIVERS.flatMap((folder) => filesOf(folder).map((name) => join(folder, name)));
  return {
    drivers,
    ...(variable && { variable }),
    // Without a GPU, hardware drivers find no adapter.
    software: drivers.length > 0 && (gpus === 0 || drivers.every((path) => SOFTWARE.test(path))),
    loader: LIBRARIES.some((folder) =>
      ARCHITECTURES.some((triple) => existsSync(join(folder, triple, 'libvulkan.so.1'))),
    ),
  };
}

export function graphics(gpus: string[] | undefined, found: Vulkan | undefined): Finding[] {
  const adapters: Finding =
    gpus === undefined
      ? { area: AREA, name: 'GPUs', state: 'note', detail: 'not listed by this system; see webgpu' }
      : gpus.length > 0
        ? { area: AREA, name: 'GPUs', state: 'ok', detail: gpus.join(', ') }
        : { area: AREA, name: 'GPUs', state: 'missing', detail: 'none found' };
  if (!found) return [adapters];
  const { drivers, variable, software, loader } = found;
  const names = drivers.map((path) => basename(path).replace(/(_icd)?(\.[^.]+)?\.json$/, ''));
  const from = variable ? ` (from ${variable})` : '';
  const missing = !loader
    ? { state: 'missing' as const, ...apt('libvulkan1') }
    : drivers.length === 0
      ? { state: 'missing' as const, ...apt('mesa-vulkan-drivers') }
      : undefined;
  const vulkan: Finding = {
    area: AREA,
    name: 'Vulkan',
    state: software ? 'note' : 'ok',
    detail: [
      loader ? 'libvulkan.so.1' : 'no libvulkan.so.1',
      drivers.length > 0 ? `drivers: ${names.join(', ')}${from}` : `no driver${from}`,
      ...(software ? ['they compute in software, on the CPU'] : []),
    ].join('; '),
    ...missing,
  };
  return [adapters, vulkan];
}
