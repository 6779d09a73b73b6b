// `eval` and `compare` of the built command, with few images.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPretrained } from '@gpn/models/pretrained';
import { readModelInfo } from '@gpn/runtime';
import type { Evaluation } from '@gpn/training';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpn, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, ...args);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let result: Evaluation;
beforeAll(async () => {
  mkdirSync(at('three'));
  for (const level of [0, 100, 200]) {
    const background = { r: level, g: level, b: level };
    const create = { width: 28, height: 28, channels: 3 as const, background };
    await sharp({ create })
      .png()
      .toFile(at(`three/${level}.png`));
  }
  const { path } = findPretrained('dcgan-mnist') as { path: string };
  copyFileSync(path, at('g.onnx'));
  // As in the folder of a run, whose losses the report shows.
  const losses = Array.from({ length: 60 }, (_, i) => ({
    step: i + 1,
    generator: 1 + i / 60,
    discriminator: 2 - i / 60,
  }));
  writeFileSync(at('metrics.jsonl'), losses.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { code, stdout, stderr } = run(
    ...['eval', '--model', 'g.onnx', '--data', 'mnist', '--samples', '200'],
    ...['--json', '--report', 'report.html', '--write'],
  );
  expect(code, stderr).toBe(0);
  writeFileSync(at('a.json'), stdout);
  result = JSON.parse(stdout);
});

describe('eval', () => {
  test('prints the scorecard as JSON, with its protocol', () => {
    expect(result).toMatchObject({
      version: 1,
      model: { name: 'dcgan-mnist', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      protocol: { samples: 200, seeds: [0], neighbours: 5, features: { name: 'judge-mnist' } },
      notes: [expect.stringContaining('biased upwards')],
    });
    const { frechet, recall } = result.scores;
    expect(frechet?.value).toBeGreaterThan(frechet?.floor as number);
    expect(recall?.value).toBeGreaterThan(0.3);
    expect(result.classes?.generated.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  });

  test('writes a report that needs no other file', () => {
    const html = readFileSync(at('report.html'), 'utf8');
    for (const part of ['Samples', 'Classes', 'Between images', 'Precision and recall']) {
      expect(html).toContain(`<h2>${part}</h2>`);
    }
    expect(html).toContain('<h2>Nearest training images</h2>');
    expect(html).toContain('<h2>The run</h2>');
    expect(html).toContain(result.protocolHash);
    const sources = [...html.matchAll(/(?:src|href)="([^"]{0,30})/g)].map(([, source]) => source);
    expect(sources.length).toBeGreaterThan(12);
    for (const source of sources) expect(source).toMatch(/^data:image\/(png|svg\+xml);base64,/);
    const text = html.replaceAll(/base64,[^"]*/g, '');
    expect(text).not.toMatch(/<script|url\(|@import|NaN|undefined/);
  });

  test('writes the scores into the file, in place of earlier ones', () => {
    const info = readModelInfo(new Uint8Array(readFileSync(at('g.onnx'))), 'g.onnx');
    const scores = info.quality?.filter(({ protocol }) => protocol.startsWith(result.protocolHash));
    expect(scores?.find(({ metric }) => metric === 'frechet')?.value).toBe(
      result.scores.frechet?.value,
    );
    expect(scores?.length).toBe(Object.keys(result.scores).length);
    const { code, stdout } = run('verify', 'g.onnx');
    expect(code, stdout).toBe(0);
  });

  test.each([
    [['--data', 'mnist', '--model', 'nothing.onnx'], /^gpn-cli: There is no file nothing\.onnx/],
    [['--data', 'nowhere', '--model', 'g.onnx'], /^gpn-cli: .*nowhere/],
    [['--data', 'mnist', '--model', 'dcgan-mnist-discriminator'], /is a discriminator/],
    [['--data', 'mnist', '--model', 'dcgan-mnist', '--write'], /--write changes a file/],
    [['--data', 'mnist', '--model', 'g.onnx', '--features', 'a.json'], /a\.json/],
    [['--data', 'mnist', '--model', 'g.onnx', '--seeds', '0'], /whole number from 1 to 100/],
    [
      ['--data', 'three', '--model', 'g.onnx'],
      /three has 3 images: an evaluation takes at least 4/,
    ],
    [['--data', 'mnist', '--model', 'g.onnx', '--samples', '1'], /whole number from 2 to/],
  ])('answers %j with one sentence and exit code 2', (args, message) => {
    const before = listing(folder);
    const { code, stdout, stderr } = run('eval', '--samples', '50', ...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect([code, stdout]).toEqual([2, '']);
    expect(listing(folder)).toEqual(before);
  });
});

describe('compare', () => {
  test('prints results and models side by side', () => {
    const { code, stdout, stderr } = run(
      ...['compare', 'a.json', 'dcgan-mnist', '--data', 'mnist', '--samples', '200'],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`protocol ${result.protocolHash.slice(0, 12)}`);
    // The same weights draw the same images, and have the same scores.
    const frechet = result.scores.frechet?.value.toFixed(2);
    expect(stdout).toMatch(new RegExp(`^Fréchet distance +${frechet} +${frechet} `, 'm'));
  });

  test('refuses results of different protocols, and says what differs', () => {
    const { code, stderr } = run(
      ...['compare', 'a.json', 'g.onnx', '--data', 'mnist', '--samples', '100'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('were measured by different protocols');
    expect(stderr).toContain('data.count (200, 100), samples (200, 100)');
  });

  test('needs two sources, and data to measure models with', () => {
    expect(run('compare', 'a.json').stderr).toMatch(/Give two or more models or results/);
    expect(run('compare', 'a.json', 'g.onnx').stderr).toMatch(/Give --data to measure g\.onnx/);
  });
});
