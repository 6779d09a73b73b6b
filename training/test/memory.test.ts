import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bench = fileURLToPath(new URL('../../scripts/bench-train.mjs', import.meta.url));

// The benchmark's own measure, over fewer steps. A step that kept its state would add its 106 KiB
// at each: 40 MiB, a quarter, between the medians below.
it('memory stays flat from step 120 to step 720', () => {
  const args = [bench, '--memory', '--json', '--steps', '720', '--threads', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { rows } = JSON.parse(stdout) as { rows: { step: number; rssMiB: number }[] };
  expect(rows.at(-1)?.step).toBe(720);
  const median = (of: typeof rows) =>
    of.map(({ rssMiB }) => rssMiB).sort((a, b) => a - b)[of.length >> 1] as number;
  const growth = median(rows.slice(-7)) / median(rows.slice(0, 7)) - 1;
  // Garbage that is not collected yet makes single rows waver by 5 %.
  expect(growth).toBeLessThan(0.06);
}, 120_000);
