/** Judges of folders: colours that can be told apart are learnt, and what cannot be learnt is refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge } from '@gpn/models';
import { PREPARATION, stream, UserError } from '@gpn/runtime';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { openExtractor } from '../../src/evaluation/judge/extractor.js';
import { judgeFolder } from '../../src/evaluation/judge/folder-judge.js';
import { openEvaluator } from '../../src/evaluation/scorecard/evaluate.js';
import { preparedOtherwise } from '../../src/evaluation/scorecard/notes.js';

const SIZE = { height: 12, width: 12, channels: 3 } as const;
const folder = mkdtempSync(join(tmpdir(), 'gpn-judge-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Noisy pictures whose level is high in one channel, by class. */
async function pictures(counts: Record<string, number>): Promise<string> {
  const path = mkdtempSync(join(folder, 'data-'));
  for (const [label, [name, count]] of Object.entries(counts).entries()) {
    mkdirSync(join(path, name));
    for (let k = 0; k < count; k++) {
      const noise = stream(k, name).below(432, 120);
      const raw = Uint8Array.from(noise, (x, i) => x + (i % 3 === label ? 120 : 0));
      await sharp(raw, { raw: SIZE })
        .png()
        .toFile(join(path, name, `${k}.png`));
    }
  }
  return path;
}

test('a judge of a folder names the classes of pictures that it has not seen', async () => {
  const path = await pictures({ red: 40, green: 30, blue: 20 });
  const steps: number[] = [];
  const found = await judgeFolder(path, {
    ...SIZE,
    steps: 40,
    device: 'cpu',
    on: ({ step }) => steps.push(step),
  });
  expect(steps).toEqual(Array.from({ length: 41 }, (_, k) => k));
  // A fifth of each class is held out: 8, 6 and 4.
  expect([found.trained, found.heldOut]).toEqual([72, 18]);
  expect(found.guessed).toBeCloseTo(8 / 18, 9);
  expect(found.accuracy).toBeGreaterThan(0.9);
  expect(found.info).toMatchObject({
    kind: 'features',
    image: { ...SIZE, color: 'rgb' },
    classifier: { classes: 3, names: ['blue', 'green', 'red'] },
    quality: [{ metric: 'accuracy', value: found.accuracy }],
  });
  expect(found.info.quality?.[0]?.protocol).toContain('a fifth of each class');
  const extractor = await openExtractor(found.bytes);
  expect(extractor.identity.size).toBe(128);
  expect(extractor.classes).toBe(3);
  // It says of pictures that it was not trained for that they are others.
  expect(preparedOtherwise(extractor, {})).toEqual([]);
  const white = { ...PREPARATION, background: [255, 255, 255] as [number, number, number] };
  expect(preparedOtherwise(extractor, { preparation: white })).toEqual([
    expect.stringMatching(/cover on #000000, and these are prepared by cover on #ffffff/),
  ]);
  await extractor.dispose();

  // Of data with other classes, only what needs no names of classes is measured.
  const file = join(folder, 'judge.onnx');
  writeFileSync(file, found.bytes);
  const others = await pictures({ a: 2, b: 2, c: 2, d: 2 });
  const evaluator = await openEvaluator(others, SIZE, { features: file, samples: 20 });
  expect(evaluator.protocol.features?.name).toBe(found.info.name);
  expect(evaluator.protocol.sliced).toBeDefined();
  await evaluator.dispose();
});

describe('a judge is refused for', () => {
  test.each<[string, Record<string, number>, RegExp]>([
    ['one class', { only: 9 }, /has pictures of one class only \(only\)/],
    ['a class of three', { many: 9, few: 3 }, /has 3 picture\(s\) of the class few: .* at least 5/],
  ])('%s', async (_, counts, message) => {
    const path = await pictures(counts);
    await expect(judgeFolder(path, { ...SIZE, steps: 1 })).rejects.toThrow(message);
    await expect(judgeFolder(path, { ...SIZE, steps: 1 })).rejects.toThrow(UserError);
  });

  test('pictures without labels', async () => {
    const path = join(await pictures({ a: 6, b: 6 }), 'a');
    await expect(judgeFolder(path, { ...SIZE, steps: 1 })).rejects.toThrow(/^a has no labels/);
  });
});

test('judges of all sizes have a body that ends with few pixels, that of 28 × 28 as published', () => {
  const weights = (shape: readonly [number, number, number]) =>
    judge({ shape }).params['body/dense1/kernel']?.shape[0] as number;
  expect(weights([28, 28, 1])).toBe(4 * 4 * 128);
  for (const shape of [
    [8, 8, 1],
    [16, 16, 3],
    [32, 32, 3],
    [48, 64, 3],
    [64, 64, 4],
    [256, 256, 3],
  ] as const) {
    expect(weights(shape) / 128, shape.join()).toBeGreaterThanOrEqual(1);
    expect(weights(shape) / 128, shape.join()).toBeLessThanOrEqual(16);
  }
});
