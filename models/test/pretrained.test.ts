import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPretrained, pretrainedModels } from '../src/pretrained.js';

describe('pre-trained models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpn-pretrained-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  for (const [file, size] of [
    ['b.onnx', 20],
    ['a.onnx', 10],
    ['a.md', 5],
  ] as const) {
    writeFileSync(join(folder, file), Buffer.alloc(size));
  }
  const a = { name: 'a', file: 'a.onnx', path: join(folder, 'a.onnx'), bytes: 10 };
  const b = { name: 'b', file: 'b.onnx', path: join(folder, 'b.onnx'), bytes: 20 };

  it('are listed by name, without other files', () => {
    expect(pretrainedModels(folder)).toEqual([a, b]);
    expect(pretrainedModels(join(folder, 'missing'))).toEqual([]);
  });

  it('are found by name with or without .onnx, and by no other name', () => {
    expect(findPretrained('a', folder)).toEqual(a);
    expect(findPretrained('b.onnx', folder)).toEqual(b);
    for (const name of ['', '.onnx', 'c', 'a.md', '../a.onnx']) {
      expect(findPretrained(name, folder)).toBeUndefined();
    }
  });

  it('that come with the package are readable files', () => {
    for (const model of pretrainedModels()) {
      expect(readFileSync(model.path).length).toBe(model.bytes);
      expect(findPretrained(model.name)).toEqual(model);
    }
  });
});
