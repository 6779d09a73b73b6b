// `judge` and `features` of the built command.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { preparationOf, resolveRecipe } from '@gpn/training';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { gpn, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, ...args);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Flat pictures of slightly different levels. */
async function pictures(path: string, count: number, level: number): Promise<void> {
  mkdirSync(at(path), { recursive: true });
  for (let k = 0; k < count; k++) {
    const background = { r: level + k, g: 128, b: 255 - level };
    const create = { width: 12, height: 12, channels: 3 as const, background };
    await sharp({ create })
      .png()
      .toFile(join(at(path), `${k}.png`));
  }
}

describe('judge', () => {
  test('writes a judge, states its accuracy, and says how far it has come', async () => {
    await pictures('two/dark', 20, 10);
    await pictures('two/light', 20, 200);
    const { code, stdout, stderr } = run(
      ...['judge', 'two', '-o', 'judge.onnx', '--size', '12', '--steps', '30', '--json'],
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      output: 'judge.onnx',
      classes: ['dark', 'light'],
      accuracy: 1,
      guessed: 0.5,
      trained: 32,
      heldOut: 8,
    });
    expect(stderr).toMatch(/^Training on 32 images, 30 steps, on cpu/m);
    expect(stderr).toMatch(/^100% · 30\/30/m);
    expect(run('verify', 'judge.onnx').code).toBe(0);
    // Transparent pictures lie on what a recipe of gpn-cli new lays them on.
    const { preparation } = JSON.parse(run('inspect', 'judge.onnx', '--json').stdout).metadata.gpn
      .image;
    expect(preparation).toMatchObject({ fit: 'cover', background: [255, 255, 255] });
    expect(run('new', 'two', '--labels', '--size', '16', '-o', 'two.yml').code).toBe(0);
    const suggested = preparationOf(resolveRecipe(at('two.yml')).data);
    expect(preparation).toEqual(suggested);
  });

  test.each([
    [['two/dark', '-o', 'x.onnx'], /^gpn-cli: dark has no labels, which a judge learns/],
    [['nowhere', '-o', 'x.onnx'], /nowhere/],
    [['no.yml', '-o', 'x.onnx'], /no\.yml/],
    [['two', '-o', 'two'], /Cannot write two \(--output\)/],
    [['two'], /--output/],
  ])('answers %j with one sentence and exit code 2', (args, message) => {
    const before = listing(folder);
    const { code, stdout, stderr } = run('judge', ...args);
    const said = stderr.split('\n').filter((line) => line.startsWith('gpn-cli: '));
    expect(said).toEqual([expect.stringMatching(message)]);
    expect([code, stdout]).toEqual([2, '']);
    expect(listing(folder)).toEqual(before);
  });
});

describe('features', () => {
  test('refuses an archive that is not the pinned one, and leaves nothing', () => {
    writeFileSync(at('other.tgz'), 'not it');
    const { code, stderr } = run('features', '-o', 'f.onnx', '--package', 'other.tgz');
    expect(stderr).toMatch(
      /^gpn-cli: other\.tgz is not the archive of nsfwjs@4\.4\.0 that is pinned/,
    );
    expect([code, existsSync(at('f.onnx'))]).toEqual([2, false]);
    expect(run('features', '-o', 'f.onnx', '--package', 'none.tgz').stderr).toContain('none.tgz');
  });

  test('converts the pinned package as TF.js computes it', ({ skip }) => {
    const { status } = spawnSync('npm', ['pack', 'nsfwjs@4.4.0', '--silent'], { cwd: folder });
    if (status !== 0) skip('npm cannot fetch nsfwjs@4.4.0 here');
    const { code, stdout, stderr } = run(
      ...['features', '-o', 'f.onnx', '--package', 'nsfwjs-4.4.0.tgz'],
    );
    expect(code, stderr).toBe(0);
    const [, difference] = /Largest difference from TF\.js: (\S+) /.exec(stdout) ?? [];
    expect(Number(difference)).toBeLessThan(1e-4);
    const inspected = run('inspect', 'f.onnx').stdout;
    expect(inspected).toContain('float32[N, 224, 224, 3]');
    expect(inspected).toContain('float32[N, 1280]');
    expect(inspected).toContain('MIT');
  });
});
