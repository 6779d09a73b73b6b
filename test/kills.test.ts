/** Commands that are killed at drawn moments leave what unbroken ones do; see kills/run.mjs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './imports.js';

test('trainings, series, exports and evaluations that are killed forty times end with the same bytes', async () => {
  const child = spawn(process.execPath, [join(root, 'test/kills/run.mjs'), '--kills', '40']);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  expect(code, errors).toBe(0);
  // Those that run side by side may both be killed for the fortieth time.
  expect(out).toMatch(/^4[01] kills \(.* ends compared, 0 differences/);
});
