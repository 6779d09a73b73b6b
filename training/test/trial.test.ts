import { expect, it } from 'vitest';
import { tryDevice } from '../src/run/trial.js';

it('a trial on the CPU gives the numbers that plain loops give', async () => {
  const { device, reason, train, sample } = await tryDevice('cpu');
  expect(device).toBe('cpu');
  expect(reason).toMatch(/^cpu: as asked, \d+ threads?$/);
  expect(sample).toBeDefined();
  for (const { ms, difference } of [train, sample as typeof train]) {
    expect(ms).toBeGreaterThan(0);
    expect(difference).toBeLessThan(1e-6);
  }
});

it('a trial on a device that is not there is refused with one sentence', async () => {
  await expect(tryDevice('tpu' as 'cpu')).rejects.toThrow(/^There is no device "tpu"/);
});
