/** What the doctor prints on this machine, with a driver in software, and with broken libraries. */
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

const WORKS = /^trained in \d+ ms, sampled in \d+ ms, within \d\.\de-\d+ of the expected values/;

describe('gpn-cli doctor', () => {
  it('tries the CPU, finds MNIST and exits with 0', () => {
    const { status, stderr, ok, of } = doctor();
    expect({ status, stderr, ok }).toEqual({ status: 0, stderr: '', ok: true });
    expect(of('cpu')).toMatchObject({ state: 'ok', detail: expect.stringMatching(WORKS) });
    expect(of('auto')?.detail).toMatch(/^chooses (cpu|webgpu|cuda) \(/);
    expect(of('MNIST')).toMatchObject({ state: 'ok' });
    expect(of('node')?.detail).toBe(process.versions.node);
    expect(of('onnxruntime-node')?.detail).toMatch(/^1\.\d+\.\d+$/);
    for (const name of ['cuda', '@tensorflow/tfjs-node', 'Fashion-MNIST']) {
      const found = of(name);
      expect(found?.state === 'ok' || found?.remedy, name).toBeTruthy();
    }
  });

  it('tries WebGPU, and says that it runs in software', ({ skip }) => {
    if (!existsSync(SWIFTSHADER)) skip('there is no Vulkan driver in software (Debian’s chromium)');
    const { status, of } = doctor({ VK_ICD_FILENAMES: SWIFTSHADER });
    expect(status).toBe(0);
    expect(of('webgpu')).toMatchObject({ state: 'note', detail: expect.stringMatching(WORKS) });
    expect(of('webgpu')?.detail).toContain('in software');
    expect(of('Vulkan')?.detail).toContain('vk_swiftshader (from VK_ICD_FILENAMES)');
    expect(of('auto')?.detail).toMatch(/^chooses cpu/);
  });

  it('tries TensorFlow’s package, and says what to do if it is absent or lacks its native part', () => {
    const stand = new URL('./tensorflow-stand-in.mjs', import.meta.url).href;
    const found = (kind: string) => {
      const { status, of } = doctor({ NODE_OPTIONS: `--import=${stand}${kind}` });
      expect(status).toBe(0);
      return of('@tensorflow/tfjs-node');
    };
    expect(found('')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(
        /^trained in \d+ ms, within \d\.\de-\d+ of the expected values/,
      ),
    });
    expect(found('?bare')).toMatchObject({
      state: 'missing',
      detail: expect.stringContaining('is installed without its native part'),
      remedy: 'npm rebuild --ignore-scripts=false @tensorflow/tfjs-node',
    });
    expect(found('?absent')).toMatchObject({
      state: 'missing',
      detail: 'not installed; train --engine tensorflow --device cpu needs it',
      remedy: 'npm install --ignore-scripts=false @tensorflow/tfjs-node@4.22.0',
    });
  });

  it('computes by WebAssembly if no native library loads, and says so', () => {
    const broken = `process.dlopen = () => { throw new Error('a broken library') }`;
    const { status, of } = doctor({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}`,
    });
    expect(status).toBe(0);
    expect(of('cpu')?.detail).toBe(
      "onnxruntime-node's binary does not load here (a broken library); wasm computes in its place, more slowly",
    );
    expect(of('wasm')).toMatchObject({ state: 'ok', detail: expect.stringMatching(WORKS) });
    expect(of('auto')?.detail).toMatch(/^chooses wasm \(.*a broken library/);
  });

  it('exits with 2 if neither a native library nor WebAssembly works, and still prints all other findings', () => {
    const broken = `process.dlopen = () => { throw new Error('a broken library') }; delete globalThis.WebAssembly;`;
    const { status, stderr, ok, of } = doctor({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}`,
      PATH: '',
    });
    expect({ status, ok }).toEqual({ status: 2, ok: false });
    expect(stderr).toMatch(/^gpn-cli: Training or sampling does not work here: see cpu.*\n$/);
    expect(of('cpu')).toMatchObject({ state: 'failed', remedy: 'npm ci' });
    expect(of('cpu')?.detail).toContain('The device wasm cannot be used');
    expect(of('ffmpeg')).toMatchObject({ state: 'missing' });
  });
});

describe.runIf(process.platform === 'linux')('the search for Vulkan drivers', () => {
  it('tells drivers in software, other drivers and missing drivers apart', () => {
    const named = vulkan({ VK_ICD_FILENAMES: `${bin}:/nowhere.json` }, 1);
    expect(named).toMatchObject({ drivers: [bin], variable: 'VK_ICD_FILENAMES', software: false });
    expect(vulkan({ VK_DRIVER_FILES: bin }, 0)?.software).toBe(true);
    const none = vulkan({ VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: bin }, 1);
    expect(none).toMatchObject({ drivers: [], variable: 'VK_DRIVER_FILES', software: false });
    const [, finding] = graphics(['a GPU'], { drivers: [], software: false, loader: false });
    expect(finding).toMatchObject({ state: 'missing', remedy: 'sudo apt install libvulkan1' });
  });
});

it('describe prints findings under their areas, with remedies below', () => {
  const found: Finding[] = [
    { area: 'A', name: 'one', state: 'ok', detail: 'here' },
    { area: 'A', name: 'three', state: 'missing', detail: 'not here', remedy: 'get it' },
    { area: 'B', name: 'four', state: 'failed', detail: 'broken' },
  ];
  expect(print(found)).toBe(
    'A\n  ✓ one    here\n  – three  not here\n           → get it\n\nB\n  ✗ four   broken\n',
  );
});
