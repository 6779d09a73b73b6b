/** What the same seed promises: the same bytes on a device, close numbers across devices. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { NO_VULKAN, softwareVulkan } from '../../test/platforms/chromium.js';

const program = fileURLToPath(new URL('./small-training.mjs', import.meta.url));

interface Outcome {
  device: string;
  losses: Record<'generator' | 'discriminator', number>[];
  /** Little-endian float32 as base64, by name. */
  state: Record<string, string>;
}

/** Trains in a process of its own, so that nothing is shared but the seed. */
function training(options: Record<string, string | number>, env: NodeJS.ProcessEnv = {}): Outcome {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const floats = (base64: string): Float32Array => {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
};

/** The tensor that differs most: largest difference over largest magnitude. */
function furthest(a: Outcome, b: Outcome): { name: string; by: number } {
  expect(Object.keys(a.state)).toEqual(Object.keys(b.state));
  const distances = Object.entries(b.state).map(([name, wanted]) => {
    const [found, right] = [floats(a.state[name] as string), floats(wanted)];
    let [difference, magnitude] = [0, 1e-12];
    right.forEach((x, i) => {
      difference = Math.max(difference, Math.abs(x - (found[i] as number)));
      magnitude = Math.max(magnitude, Math.abs(x));
    });
    return { name, by: difference / magnitude };
  });
  return distances.sort((x, y) => y.by - x.by)[0] as { name: string; by: number };
}

describe('a training with the same seed on the same device', () => {
  let whole: Outcome;
  beforeAll(() => {
    whole = training({ device: 'cpu', steps: 5 });
  });

  it('comes to the same bytes in two processes, and with another seed to different ones', () => {
    expect(Object.keys(whole.state).length).toBeGreaterThan(40);
    expect(training({ device: 'cpu', steps: 5 })).toEqual(whole);
    expect(training({ device: 'cpu', steps: 5, seed: 4 }).state).not.toEqual(whole.state);
  });

  it('goes on to the same bytes after its state was read out and put into a new step', () => {
    expect(training({ device: 'cpu', steps: 5, reload: 2 })).toEqual(whole);
  });
});

describe('a training with the same seed on WebGPU', () => {
  it('comes within 1e-3 of the CPU after three steps', ({ skip }) => {
    // A driver in software is slow, but its path is the same as a GPU's.
    const vulkan = softwareVulkan();
    if (vulkan === undefined) skip(NO_VULKAN);
    const webgpu = training({ device: 'webgpu', steps: 3 }, vulkan);
    const cpu = training({ device: 'cpu', steps: 3 });
    expect([webgpu.device, cpu.device]).toEqual(['webgpu', 'cpu']);
    const { name, by } = furthest(webgpu, cpu);
    expect(by, name).toBeLessThan(1e-3);
    expect(by, 'devices round differently; equal bytes would mean that one was tested').not.toBe(0);
    webgpu.losses.forEach((losses, i) => {
      const right = cpu.losses[i] as typeof losses;
      for (const role of ['generator', 'discriminator'] as const)
        expect(Math.abs(losses[role] / right[role] - 1)).toBeLessThan(1e-3);
    });
  });
});
