/** What the doctor says of this machine, of one with a driver in software, and of a broken one. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Finding, describe as print } from '../src/doctor/finding.js';
import { graphics, vulkan } from '../src/doctor/graphics.js';

const bin = fileURLToPath(new URL('../bin/gpn-cli.js', import.meta.url));
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

interface Report {
  ok: boolean;
  findings: Finding[];
}

function doctor(env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'doctor', '--json'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const { ok, findings } = JSON.parse(stdout || '{}') as Report;
  return { status, stderr, ok, of: (name: string) => findings.find((f) => f.name === name) };
}

const WORKS = /^trained in \d+ ms, sampled in \d+ ms, within \d\.\de-\d+ of the right numbers/;

describe('gpn-cli doctor', () => {
  it('tries the CPU and finds MNIST, and leaves with 0', () => {
    const { status, stderr, ok, of } = doctor();
    expect({ status, stderr, ok }).toEqual({ status: 0, stderr: '', ok: true });
    expect(of('cpu')).toMatchObject({ state: 'ok', detail: expect.stringMatching(WORKS) });
    expect(of('auto')?.detail).toMatch(/^takes (cpu|webgpu|cuda) \(/);
    expect(of('MNIST')).toMatchObject({ state: 'ok' });
    expect(of('node')?.detail).toBe(process.versions.node);
    expect(of('onnxruntime-node')?.detail).toMatch(/^1\.\d+\.\d+$/);
    for (const name of ['cuda', '@tensorflow/tfjs-node', 'Fashion-MNIST']) {
      const found = of(name);
      expect(found?.state === 'ok' || found?.remedy, name).toBeTruthy();
    }
  });

  it('tries WebGPU, and says that it is in software', ({ skip }) => {
    if (!existsSync(SWIFTSHADER)) skip('there is no Vulkan driver in software (Debian’s chromium)');
    const { status, of } = doctor({ VK_ICD_FILENAMES: SWIFTSHADER });
    expect(status).toBe(0);
    expect(of('webgpu')).toMatchObject({ state: 'note', detail: expect.stringMatching(WORKS) });
    expect(of('webgpu')?.detail).toContain('in software');
    expect(of('Vulkan')?.detail).toContain('vk_swiftshader (by VK_ICD_FILENAMES)');
    expect(of('auto')?.detail).toMatch(/^takes cpu/);
  });

  it('leaves with 2 where no native library loads, and still says all it can', () => {
    const broken = `process.dlopen = () => { throw new Error('a broken library') }`;
    const { status, stderr, ok, of } = doctor({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}`,
      PATH: '',
    });
    expect({ status, ok }).toEqual({ status: 2, ok: false });
    expect(stderr).toMatch(/^gpn-cli: Training or sampling does not work here: see cpu.*\n$/);
    expect(of('cpu')).toMatchObject({ state: 'failed', remedy: 'npm ci' });
    expect(of('cpu')?.detail).toContain('a broken library');
    expect(of('ffmpeg')).toMatchObject({ state: 'missing' });
  });
});

describe.runIf(process.platform === 'linux')('Vulkan’s drivers', () => {
  it('a driver in software is told from others, and a missing one from both', () => {
    const named = vulkan({ VK_ICD_FILENAMES: `${bin}:/nowhere.json` }, 1);
    expect(named).toMatchObject({ drivers: [bin], variable: 'VK_ICD_FILENAMES', software: false });
    expect(vulkan({ VK_DRIVER_FILES: bin }, 0)?.software).toBe(true);
    const none = vulkan({ VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: bin }, 1);
    expect(none).toMatchObject({ drivers: [], variable: 'VK_DRIVER_FILES', software: false });
    const [, finding] = graphics(['a GPU'], { drivers: [], software: false, loader: false });
    expect(finding).toMatchObject({ state: 'missing', remedy: 'sudo apt install libvulkan1' });
  });
});

it('findings print under their areas, with remedies below', () => {
  const found: Finding[] = [
    { area: 'A', name: 'one', state: 'ok', detail: 'here' },
    { area: 'A', name: 'three', state: 'missing', detail: 'not here', remedy: 'get it' },
    { area: 'B', name: 'four', state: 'failed', detail: 'broken' },
  ];
  expect(print(found)).toBe(
    'A\n  ✓ one    here\n  – three  not here\n           → get it\n\nB\n  ✗ four   broken\n',
  );
});
