import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { openSession } from '../src/node/session.js';
import type { TensorData } from '../src/session/ort-session.js';
import { model, node, value } from './onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'gpn-session-'));
afterAll(() => rmSync(folder, { recursive: true }));

const floats = (shape: number[], data: number[]): TensorData => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});

// y = x + x, n = -x, p = x > n
const twice = model({
  inputs: [value('x', ['N', 2])],
  outputs: [value('y', ['N', 2]), value('n', ['N', 2]), value('p', ['N', 2], 'bool')],
  nodes: [
    node('Add', ['x', 'x'], ['y']),
    node('Neg', ['x'], ['n']),
    node('Greater', ['x', 'n'], ['p']),
  ],
});

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).toMatch(/^[^\n]+\.$/); // one line, one sentence's end
  return message;
};

describe('a session', () => {
  it('runs by WebAssembly under Node, and computes the same', async () => {
    const session = await openSession(twice, { device: 'wasm', threads: 1 });
    expect([session.device, session.reason]).toEqual(['wasm', 'wasm: as asked, 1 thread']);
    const { y, n, p } = await session.run({ x: floats([1, 2], [1.5, -2]) });
    expect([...(y?.data ?? [])]).toEqual([3, -4]);
    expect([...(n?.data ?? [])]).toEqual([-1.5, 2]);
    expect([...(p?.data ?? [])]).toEqual([1, 0]);
    await session.dispose();
  });

  it('names its inputs and outputs, and runs', async () => {
    const session = await openSession(twice, { device: 'cpu', threads: 1 });
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['y', 'n', 'p']);
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 2] }]);
    expect(session.device).toBe('cpu');
    const { y, n, p } = await session.run({ x: floats([1, 2], [1, -3]) });
    expect(y).toEqual(floats([1, 2], [2, -6]));
    expect(n).toEqual(floats([1, 2], [-1, 3]));
    expect(p).toEqual({ dtype: 'bool', shape: [1, 2], data: Uint8Array.of(1, 0) });
    await session.dispose();
    await expect(session.run({ x: floats([1, 2], [1, 1]) })).rejects.toThrow('disposed');
  });

  it('takes its outputs as the next inputs', async () => {
    const session = await openSession(twice, { device: 'cpu' });
    let x = floats([3, 2], [1, 2, 3, 4, 5, 6]);
    for (let i = 0; i < 5; i++) x = (await session.run({ x }, ['y'])).y as TensorData;
    expect(x).toEqual(floats([3, 2], [32, 64, 96, 128, 160, 192]));
    await session.dispose();
  });

  it('gives only the outputs that are asked for', async () => {
    const session = await openSession(twice, { device: 'cpu' });
    const x = floats([1, 2], [1, 5]);
    expect(await session.run({ x }, ['n'])).toEqual({ n: floats([1, 2], [-1, -5]) });
    expect(Object.keys(await session.run({ x }, ['p', 'y']))).toEqual(['p', 'y']);
    await session.dispose();
  });

  it('queues concurrent runs and openings', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => openSession(twice, { device: 'cpu' })));
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) => sessions[i % 3]?.run({ x: floats([1, 2], [i, -i]) })),
    );
    results.forEach((result, i) => {
      expect(result?.y).toEqual(floats([1, 2], [2 * i, -2 * i]));
    });
    await Promise.all(sessions.map((session) => session.dispose()));
  });

  it('still runs after a run that failed', async () => {
    const session = await openSession(twice, { device: 'cpu' });
    const wrong = session.run({ x: floats([1, 3], [1, 2, 3]) });
    const right = session.run({ x: floats([1, 2], [1, 2]) });
    await expect(wrong).rejects.toThrow(/x/);
    expect((await right).y).toEqual(floats([1, 2], [2, 4]));
    await session.dispose();
  });

  it('opens a path and writes a profile if asked to', async () => {
    const path = join(folder, 'twice.onnx');
    writeFileSync(path, twice);
    const session = await openSession(path, { device: 'cpu', profile: join(folder, 'profile') });
    await session.run({ x: floats([1, 2], [1, 2]) });
    await session.dispose();
    const file = readdirSync(folder).find((name) => name.startsWith('profile')) as string;
    expect(JSON.parse(readFileSync(join(folder, file), 'utf8'))).toContainEqual(
      expect.objectContaining({ cat: 'Node' }),
    );
  });
});

describe('openSession', () => {
  it('with `auto` says which device was chosen and why not the others', async () => {
    const session = await openSession(twice);
    expect(['cpu', 'webgpu', 'cuda']).toContain(session.device);
    if (session.device === 'cpu')
      expect(session.reason).toMatch(/^cuda: .+; webgpu: .+; using cpu, \d+ threads?$/);
    else expect(session.reason).toContain(session.device);
    await session.dispose();
  });

  it('refuses a device with an unknown name', async () => {
    const wrong = openSession(twice, { device: 'gpu' as 'cpu' });
    expect(await messageOf(wrong)).toBe(
      'There is no device "gpu": use auto, cuda, webgpu, cpu, wasm.',
    );
  });

  it.skipIf(existsSync('/dev/nvidia0'))('says how to get CUDA if it is missing', async () => {
    const message = await messageOf(openSession(twice, { device: 'cuda' }));
    expect(message).toMatch(/^The device cuda cannot be used \(.+\): it needs .*CUDA 12/);
  });

  // Debian's chromium brings a Vulkan driver in software: slow, but the same code path as a GPU.
  const icd = '/usr/lib/chromium/vk_swiftshader_icd.json';
  it.runIf(existsSync(icd))('with `webgpu` computes the same (software Vulkan)', () => {
    const source = fileURLToPath(new URL('../dist/node/session.js', import.meta.url));
    const path = join(folder, 'webgpu.onnx');
    writeFileSync(path, twice);
    const program = `
      const { openSession } = await import(${JSON.stringify(source)});
      const session = await openSession(${JSON.stringify(path)}, { device: 'webgpu' });
      const x = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, -3) };
      const { y } = await session.run({ x }, ['y']);
      console.log(JSON.stringify([session.device, session.reason, [...y.data]]));
      await session.dispose();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, VK_ICD_FILENAMES: icd },
      encoding: 'utf8',
    });
    expect(stdout, stderr).toBe('["webgpu","webgpu: as asked",[2,-6]]\n');
  });
});

describe('openSession', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('{"not": "a model"}')],
    ['half a model', twice.slice(0, twice.length / 2)],
    [
      'a model of an unknown operator',
      model({
        inputs: [value('x', [1])],
        outputs: [value('y', [1])],
        nodes: [node('Frobnicate', ['x'], ['y'])],
      }),
    ],
  ])('refuses a file that is not an ONNX model: %s', async (_, bytes) => {
    expect(await messageOf(openSession(bytes, { label: 'bad.onnx' }))).toMatch(
      /^bad\.onnx is not a (model that ONNX Runtime can load|complete ONNX file): /,
    );
  });

  it('names a path that does not exist', async () => {
    const path = join(folder, 'missing.onnx');
    expect(await messageOf(openSession(path))).toContain(path);
  });
});
