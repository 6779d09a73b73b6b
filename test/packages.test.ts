/** The packages as npm would publish them: complete, well-typed, and working once installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifest, packages, root } from './imports.js';
import { installPacked, type Packed, runModule } from './pack.js';

let consumer: string;
let packed: Packed[];

beforeAll(() => {
  ({ consumer, packed } = installPacked());
}, 120_000);

afterAll(() => rmSync(consumer, { recursive: true, force: true }));

describe.each(packages.map((name, i) => [name, i] as const))('%s', (name, index) => {
  const at = () => packed[index] as Packed;

  test('carries a licence, a README and nothing that users have no use for', () => {
    const { files } = at();
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const strays = files.filter(
      (file) =>
        !/^(LICENSE|README\.md|package\.json)$|^(bin|dist|src|recipes|pretrained)\//.test(file),
    );
    expect(strays).toEqual([]);
    expect(files.filter((file) => /\.(tsbuildinfo|test\.[jt]s)$/.test(file))).toEqual([]);
  });

  test('carries the sources that its source maps name', () => {
    const { files, installed } = at();
    const missing = files
      .filter((file) => file.endsWith('.js.map'))
      .flatMap((map) => {
        const { sources } = JSON.parse(readFileSync(join(installed, map), 'utf8')) as {
          sources: string[];
        };
        return sources.map((source) => normalize(join(dirname(map), source)));
      })
      .filter((source) => !files.includes(source));
    expect(missing).toEqual([]);
  });

  test('satisfies publint', async () => {
    const { installed } = at();
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    const pkg = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test('has the right types, says @arethetypeswrong', () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [attw, at().tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii'],
      { encoding: 'utf8' },
    );
    expect(status, stdout + stderr).toBe(0);
  });

  test('loads from every entry', () => {
    const { name: published, exports } = manifest(name);
    for (const entry of Object.keys(exports)) {
      const specifier = published + entry.slice(1);
      const printed = runModule(
        consumer,
        `console.log(Object.keys(await import('${specifier}')).length)`,
      );
      expect(Number(printed), specifier).toBeGreaterThan(0);
    }
  });
});

test('the installed packages work: a stream of random numbers', () => {
  const printed = runModule(
    consumer,
    `import { stream } from '@gpn/runtime'; console.log(JSON.stringify([...stream(7, 'packed').normals(2)]));`,
  );
  void printed;
});

test('the installed command runs', () => {
  const printed = execFileSync(
    process.execPath,
    [join(consumer, 'node_modules/gpn-cli/bin/gpn-cli.js'), '--version'],
    { cwd: consumer, encoding: 'utf8' },
  );
  expect(printed.trim()).toBe(
    JSON.parse(readFileSync(join(root, 'cli/package.json'), 'utf8')).version,
  );
});
