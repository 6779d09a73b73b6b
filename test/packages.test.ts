/** The packages as npm would publish them: complete, well-typed, and working once installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { decode } from 'fast-png';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listing, scratchFolder } from './cli.js';
import { manifest, packages, root } from './imports.js';
import { installPacked, type Packed, runModule } from './pack.js';
import { tinyGenerator } from './tiny-generator.js';

const consumer = scratchFolder();
let packed: Packed[];

beforeAll(() => {
  // TensorFlow.js as a direct dependency: the exporter's README writes a function with it.
  packed = installPacked(consumer, ['@tensorflow/tfjs-core']);
});

afterAll(() => rmSync(consumer, { recursive: true, force: true }));

describe.each(packages.map((name, i) => [name, i] as const))(
  'the packed package %s',
  (name, index) => {
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

    test('has a manifest that satisfies publint', async () => {
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
      // A worker's program refuses to run in the main thread; runtime/test/worker.test.ts starts it.
      for (const entry of Object.keys(exports).filter((path) => path !== './worker')) {
        const specifier = published + entry.slice(1);
        const printed = runModule(
          consumer,
          `console.log(Object.keys(await import('${specifier}')).length)`,
        );
        expect(Number(printed), specifier).toBeGreaterThan(0);
      }
    });
  },
);

describe('the packed packages, once installed', () => {
  const command = (...args: string[]) =>
    execFileSync(
      process.execPath,
      [join(consumer, 'node_modules/gpn-cli/bin/gpn-cli.js'), ...args],
      {
        cwd: consumer,
        encoding: 'utf8',
      },
    );

  test('have a command that draws from a model', () => {
    writeFileSync(join(consumer, 'tiny.onnx'), tinyGenerator());
    command('sample', '--model', 'tiny.onnx', '--count', '4', '--out', 'tiny.png');
    const { width, height } = decode(readFileSync(join(consumer, 'tiny.png')));
    expect([width, height]).toEqual([8, 6]);
  });

  test('have a command that trains by a bundled recipe on the bundled data', () => {
    command('train', 'dcgan-mnist', '--steps', '1', '--batch-size', '2', '--device', 'cpu');
    expect(listing(join(consumer, 'runs/dcgan-mnist'))).toContain('generator.onnx');
  });

  test('have a command of the exporter alone', () => {
    const bin = join(consumer, 'node_modules/@gpn/export/bin/gpn-export.js');
    const model = join(root, 'export/test/models/keras3-dense');
    const args = [bin, model, '-o', 'dense.onnx', '--json'];
    const said = execFileSync(process.execPath, args, { cwd: consumer, encoding: 'utf8' });
    expect(JSON.parse(said)).toMatchObject({ file: 'dense.onnx', comparison: { batches: [1, 2] } });
  });

  test('have a command that knows its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'cli/package.json'), 'utf8'));
    expect(command('--version').trim()).toBe(version);
  });

  // The READMEs show short programs: they must run as they stand.
  test.each(['.', 'export', 'models', 'runtime'])('run the program in the README of %s', (name) => {
    const [, program] = readFileSync(join(root, name, 'README.md'), 'utf8').match(
      /```js\n([\s\S]*?)```/,
    ) as RegExpMatchArray;
    expect(() => runModule(consumer, program as string)).not.toThrow();
  });
});
