/** The fuzzer's own: what failed is kept, and tried first by the next run. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { scratchFolder } from './cli.js';
import { root } from './imports.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the inputs of a seed are kept under the names of their readers, always the same bytes', () => {
  const program = `
    const { inputOf, keep, scratch } = await import('./scripts/fuzz/inputs.mjs');
    keep(${JSON.stringify(folder)}, 7, [0, 25]);
    const inputs = [0, 25].map((index) => inputOf(7, index));
    console.log(JSON.stringify(inputs.map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])));
    (await import('node:fs')).rmSync(scratch, { recursive: true });
  `;
  const args = ['--input-type=module', '--eval', program];
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  const inputs = JSON.parse(printed) as [string, string][];
  const names = inputs.map(([name], k) => `${name.replaceAll(' ', '_')}--7-${[0, 25][k]}`);
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
  for (const [k, [, hex]] of inputs.entries()) {
    expect(readFileSync(join(folder, names[k] as string)).toString('hex')).toBe(hex);
  }
});
