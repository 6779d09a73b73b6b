/** The program of docs/guides/evaluate.md runs, and the document names every measure. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MEASURES } from '../../src/evaluation/scorecard/measures.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}docs/guides/evaluate.md`, 'utf8');

test('the program in the document on evaluation prints a scorecard', () => {
  const program = /```js\n([\s\S]*?)```/.exec(text)?.[1] as string;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program.replace('samples: 500', 'samples: 100')],
    { cwd: root, encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('100 images of seed 0 against 100 of mnist');
  expect(stdout).toMatch(/^\| recall \| 0\.\d/m);
});

test('the document on evaluation says what each measure is', () => {
  for (const { title } of Object.values(MEASURES)) {
    expect(text).toContain(title.replace(' × 1000', ''));
  }
});
