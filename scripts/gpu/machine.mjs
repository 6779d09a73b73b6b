/** What a machine has for a GPU: Vulkan's loader and driver, CUDA's libraries, the card's memory. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vulkan } from '../../cli/dist/doctor/graphics.js';

const run = promisify(execFile);

/** Where Linux distributions and container tools put shared libraries. */
const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu',
  '/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/usr/local/nvidia/lib64',
  '/usr/lib/wsl/lib',
  '/run/opengl-driver/lib',
];
const folderOf = (library) => LIBRARIES.find((folder) => existsSync(join(folder, library)));

/** The folders of CUDA's libraries: of the machine's toolkit, and of its Python's packages. */
function cudaFolders() {
  const program = [
    'import pathlib, sys',
    'for p in filter(None, sys.path):',
    '    for f in [*pathlib.Path(p).glob("nvidia/*/lib"), *pathlib.Path(p).glob("torch/lib")]: print(f)',
  ].join('\n');
  const { stdout } = spawnSync(python, ['-c', program], { encoding: 'utf8' });
  const toolkits = existsSync('/usr/local')
    ? readdirSync('/usr/local').filter((name) => name.startsWith('cuda'))
    : [];
  return [
    ...(stdout ?? '').split('\n').filter(Boolean),
    ...toolkits.map((name) => `/usr/local/${name}/lib64`),
  ];
}

/** The Python whose PyTorch is measured. */
export const python = process.env.PYTHON ?? 'python3';

/**
 * The variables with which the stages find what the machine has.
 * @param kit the folder of the kit, which has Vulkan's loader for machines without it
 */
export function environment(kit, env = process.env) {
  const added = {};
  const folders = [];
  if (!folderOf('libvulkan.so.1')) folders.push(join(kit, 'lib', 'vulkan'));
  // A driver that a container tool has put in place often lacks the file that tells Vulkan of it.
  const driver = 'libGLX_nvidia.so.0';
  const at = folderOf(driver);
  if (vulkan(env, 1)?.drivers.length === 0 && at) {
    const manifest = join(mkdtempSync(join(tmpdir(), 'gpn-gpu-')), 'nvidia.json');
    const ICD = { library_path: join(at, driver), api_version: '1.3.0' };
    writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD }));
    Object.assign(added, { VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest });
    folders.push(at);
  }
  folders.push(...cudaFolders(), ...(env.LD_LIBRARY_PATH ? [env.LD_LIBRARY_PATH] : []));
  return { ...env, ...added, LD_LIBRARY_PATH: folders.join(':') };
}

/** Whether Vulkan would compute on the CPU. */
export const inSoftware = (env) => vulkan(env, 1)?.software ?? false;

/** MiB of all cards that are in use; undefined without nvidia-smi. */
async function memoryInUse() {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  try {
    const { stdout } = await run('nvidia-smi', query, { timeout: 10_000 });
    return stdout
      .trim()
      .split('\n')
      .map(Number)
      .reduce((a, b) => a + b);
  } catch {
    return undefined;
  }
}

/** Watches the memory of the cards until `end`, which tells by how much it grew, in MiB. */
export async function watchMemory() {
  const before = await memoryInUse();
  if (before === undefined) return { end: async () => undefined };
  let most = before;
  let watching = true;
  const watched = (async () => {
    while (watching) {
      most = Math.max(most, (await memoryInUse()) ?? 0);
      await new Promise((done) => setTimeout(done, 200));
    }
  })();
  return {
    async end() {
      watching = false;
      await watched;
      return most - before;
    },
  };
}
