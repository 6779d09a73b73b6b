import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bench = fileURLToPath(new URL('../../scripts/bench-train.mjs', import.meta.url));

// The benchmark's own measure, over fewer steps. A step that kept its state would add its 106 KiB
// at each: 62 MiB to the 160 there are.
it('the memory of a training stays flat from step 120 to step 720', () => {
  const args = [bench, '--memory', '--json', '--steps', '720', '--threads', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { collected, growth, deviation } = JSON.parse(stdout) as {
    collected: { step: number; rssMiB: number }[];
    growth: number;
    deviation: number;
  };
  expect(collected.map(({ step }) => step)).toEqual([120, 720]);
  expect(collected[0]?.rssMiB).toBeGreaterThan(50);
  expect(growth).toBeLessThan(0.05);
  // With the garbage of some hundred steps.
  expect(deviation).toBeLessThan(0.15);
});
