/** The package's own command: a TF.js model to an ONNX file, from a shell. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openSession } from '@gpn/runtime';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../src/command/main.js';
import { compare } from '../src/convert/verify.js';
import { npy, scratch } from './models-files.js';

const folder = scratch();
const models = fileURLToPath(new URL('models', import.meta.url));
const dense = join(models, 'keras3-dense');
let out: string;
let printed: { stdout: string; stderr: string };

process.stdout.setMaxListeners(50); // each run listens for a reader that leaves early

beforeEach(() => {
  out = join(folder(), 'model.onnx');
  printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += text;
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('gpn-export MODEL', () => {
  test('writes a file that gives what Keras gives, and says how it compares', async () => {
    expect(await main([join(dense, 'model.json'), '-o', out]), printed.stderr).toBe(0);
    expect(printed.stdout).toMatch(
      /^Largest difference from TF\.js at batches of 1 and 2: \d\.\de[+-]\d+ of .*\nWrote the layers model to .*model\.onnx \(0\.0 MB\)\n$/,
    );
    const session = await openSession(readFileSync(out), { device: 'cpu' });
    const x = npy(join(dense, 'x.npy'));
    const results = await session.run({ [session.inputNames[0] as string]: x });
    await session.dispose();
    expect(
      compare(results[session.outputNames[0] as string], npy(join(dense, 'y.npy'))),
    ).toBeLessThan(1e-5);
  });

  test('says all of it as JSON', async () => {
    expect(await main([dense, '-o', out, '--json', '--opset', '17']), printed.stderr).toBe(0);
    const { comparison, inputs, ...report } = JSON.parse(printed.stdout);
    expect(report).toMatchObject({ file: out, bytes: readFileSync(out).length, kind: 'layers' });
    expect(inputs).toEqual([expect.objectContaining({ dtype: 'float32' })]);
    expect(inputs[0].shape[0]).toBe('N');
    expect(comparison).toMatchObject({ batches: [1, 2], tolerance: 1e-4 });
    expect(comparison.difference).toBeLessThan(1e-5);
    printed.stdout = '';
    await main([dense, '-o', out, '--json', '--no-verify']);
    expect(JSON.parse(printed.stdout).comparison).toBeNull();
  });

  test('takes a file: URL, and leaves nothing but the file', async () => {
    const url = pathToFileURL(join(dense, 'model.json')).href;
    expect(await main([url, '-o', out, '--no-verify']), printed.stderr).toBe(0);
    expect(readdirSync(join(out, '..'))).toEqual(['model.onnx']);
  });

  const rows: [mistake: string, args: () => string[], sentence: RegExp][] = [
    ['no output', () => [dense], /--output/],
    ['a slip in an option', () => [dense, '-o', out, '--opsett', '13'], /--opsett.*--opset/],
    ['an opset that is no number', () => [dense, '-o', out, '--opset', 'new'], /whole number/],
    ['an opset that there is none of', () => [dense, '-o', out, '--opset', '12'], /12/],
    ['no file', () => [join(dense, 'none.json'), '-o', out], /none\.json: there is no such file/],
    ['an ONNX file', () => ['model.onnx', '-o', out], /is an ONNX file already/],
    ['an archive', () => ['model.zip', '-o', out], /is an archive, .*: unpack it/],
    ['a file of weights', () => [join(dense, 'w.bin'), '-o', out], /take the model\.json that/],
    ['the standard input', () => ['-', '-o', out], /standard input/],
    ['an address', () => ['https://example.org/model.json', '-o', out], /is an address: download/],
    ['a URL of no path', () => ['file://host/model.json', '-o', out], /is no path of this machine/],
    ['a folder without a model', () => [models, '-o', out], /has no model\.json/],
    [
      'a folder of several models',
      () => {
        const several = folder();
        for (const name of ['a.json', 'b.json']) writeFileSync(join(several, name), '{}');
        return [several, '-o', out];
      },
      /has no model\.json: give one of its \.json files, a\.json, b\.json/,
    ],
    [
      'the model as the output',
      () => [join(dense, 'model.json'), '-o', join(dense, 'model.json')],
      /is the model itself/,
    ],
    ['a folder as the output', () => [dense, '-o', folder()], /it is a folder/],
    ['a folder that is missing', () => [dense, '-o', join(out, 'x/y.onnx')], /there is no folder/],
    ['an input of another name', () => [dense, '-o', out, '--input-shape', 'zzz=1x2'], /"zzz"/],
  ];
  test.each(rows)('answers %s with one sentence and exit code 2', async (_, args, sentence) => {
    expect(await main(args())).toBe(2);
    expect(printed.stderr).toMatch(/^gpn-export: [^\n]+\n$/);
    expect(printed.stderr).toMatch(sentence);
    expect(printed.stdout).toBe('');
    expect(existsSync(out)).toBe(false);
  });

  test('has a help with examples, and knows its version', async () => {
    expect(await main(['--help'])).toBe(0);
    expect(printed.stdout).toContain('$ gpn-export model.json -o model.onnx');
    printed.stdout = '';
    expect(await main(['--version'])).toBe(0);
    const { version } = JSON.parse(
      readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8'),
    );
    expect(printed.stdout).toBe(`${version}\n`);
  });

  test('keeps the file that was there if the model cannot be exported', async () => {
    mkdirSync(join(out, '..'), { recursive: true });
    writeFileSync(out, 'precious');
    expect(await main([join(dense, 'none.json'), '-o', out])).toBe(2);
    expect(readFileSync(out, 'utf8')).toBe('precious');
  });
});
