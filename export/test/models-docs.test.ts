/** docs/guides/export-a-tfjs-model.md does what it says: its programs and commands, run in order. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gpn } from '../../test/cli.js';
import { root } from '../../test/imports.js';

// In the repository, so that the programs find the packages they import.
mkdirSync(join(root, 'scratch'), { recursive: true });
const folder = mkdtempSync(join(root, 'scratch/docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = readFileSync(join(root, 'docs/guides/export-a-tfjs-model.md'), 'utf8');

const node = (program: string): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout;
};

beforeAll(() => {
  for (const [, program] of text.matchAll(/```js\n([\s\S]*?)```/g)) {
    const name = /^\/\/ (\S+\.mjs)\n/.exec(program as string)?.[1];
    writeFileSync(join(folder, name as string), program as string);
  }
});

test('the example in the documentation', () => {
  node('make-model.mjs');
  const commands = [...text.matchAll(/^npx gpn-cli (.*)$/gm)].map(([, args]) => args as string);
  expect(commands).toContain('export model.json -o model.onnx');
  for (const args of new Set(commands)) {
    const { code, stdout, stderr } = gpn(folder, ...args.split(' '));
    expect(code, stderr).toBe(0);
    if (args.startsWith('export'))
      expect(stdout).toMatch(/^Largest difference .*\nWrote the layers model to model\.onnx/);
    else expect(stdout).not.toMatch(/BatchNormalization/);
  }
  expect(node('run-model.mjs')).toBe('[ 3, 10 ] [ 3, 16 ]\n');
  expect(node('export-model.mjs')).toBe("layers [ 'image', 'angle' ] [ 'classes', 'box' ] true\n");
});
