import { describe, expect, test } from 'vitest';
import {
  aupro,
  auroc,
  averagePrecision,
  pixelAuroc,
  rocCurve,
  type ScoredMask,
} from '../../src/evaluation/detection/ranking.js';
import { features } from './features.js';

// The expected numbers are what golden_detection.py prints; it says how it is run.
const ROUNDING = 1e-12;
const close = (found: number, expected: number) =>
  expect(Math.abs(found - expected)).toBeLessThan(ROUNDING);

const labels = features(500, 1, 7).data.map((x) => (x > 0.2 ? 1 : 0));
const scores = features(500, 1, 11).data.map((x, k) => x + 0.3 * (labels[k] as number));
const ties = scores.map((x) => Math.round(x * 8) / 8);

describe('measures of a ranking are those of scikit-learn', () => {
  test('with distinct scores', () => {
    close(auroc(scores, labels), 0.7919278693599567);
    close(averagePrecision(scores, labels), 0.7185794292566551);
  });

  test('with ties, which are one point of the curve', () => {
    close(auroc(ties, labels), 0.7929339834378144);
    close(averagePrecision(ties, labels), 0.6868479142775561);
    const { falsePositives, truePositives } = rocCurve(ties, labels);
    expect(falsePositives).toHaveLength(12);
    [0, 0, 0, 0.03954802, 0.13559322].forEach((share, k) => {
      expect(falsePositives[k]).toBeCloseTo(share, 8);
    });
    [0, 0.17808219, 0.36986301].forEach((share, k) => {
      expect(truePositives[k]).toBeCloseTo(share, 8);
    });
  });

  test('but not without normal and anomalous items, or with scores that are no numbers', () => {
    expect(() => auroc([1, 2], [0, 0])).toThrow('needs normal and anomalous items');
    expect(() => auroc([1, 2], [1, 1])).toThrow('needs normal and anomalous items');
    expect(() => auroc([1, Number.NaN], [0, 1])).toThrow('score 1 is not a number');
  });
});

/** The masks of golden_detection.py: four regions, one of which is joined at a corner alone. */
function pictures(): ScoredMask[] {
  const [height, width] = [16, 20];
  const masks = [0, 1, 2].map(() => new Uint8Array(height * width));
  const fill = (k: number, top: number, bottom: number, left: number, right: number) => {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) (masks[k] as Uint8Array)[y * width + x] = 1;
    }
  };
  fill(0, 2, 5, 3, 9);
  fill(0, 5, 6, 9, 10);
  fill(0, 12, 15, 1, 3);
  fill(1, 0, 2, 17, 20);
  fill(1, 3, 4, 19, 20);
  const noise = features(3 * height * width, 1, 13).data;
  return masks.map((mask, k) => ({
    width,
    mask,
    scores: Float32Array.from(mask, (inside, i) => {
      const score = (noise[k * mask.length + i] as number) + 0.35 * inside;
      return Math.round(score * 64) / 64;
    }),
  }));
}

describe('measures of maps', () => {
  test('the AUROC of pixels is that of scikit-learn', () => {
    close(pixelAuroc(pictures()), 0.7864695581896551);
  });

  test('the per-region overlap is that of the definition, threshold by threshold', () => {
    close(aupro(pictures()), 0.4084421947469248);
    close(aupro(pictures(), 1), 0.678120746370236);
  });

  test('a map that is the mask has an overlap of 1', () => {
    close(aupro(pictures().map((p) => ({ ...p, scores: Float32Array.from(p.mask) }))), 1);
  });
});
