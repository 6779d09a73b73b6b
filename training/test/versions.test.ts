import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VERSIONS } from '../src/export/versions.js';

test('exported files name the version of package.json', () => {
  const path = new URL('../package.json', import.meta.url);
  expect(VERSIONS.gpn).toBe(JSON.parse(readFileSync(path, 'utf8')).version);
});
