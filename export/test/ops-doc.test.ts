import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { LOWERINGS } from '../src/lowerings/index.js';
import { operatorsByKernel, opsDocument } from './ops-doc.js';

describe('OPS.md, the table of kernels,', () => {
  const seen = operatorsByKernel();

  it('has a case for every lowering that writes a node', () => {
    const missing = Object.keys(LOWERINGS).filter((kernel) => !seen.has(kernel));
    expect(missing.sort()).toEqual(['Identity']);
  });

  it('names every kernel of TF.js, with or without an ONNX form', () => {
    const text = opsDocument(seen);
    const unnamed = tf
      .getKernelsForBackend('cpu')
      .map((k) => k.kernelName)
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(unnamed).toEqual([]);
  });

  it('is up to date; npm run ops writes it again', async () => {
    await expect(opsDocument(seen)).toMatchFileSnapshot('../../OPS.md');
  });
});
