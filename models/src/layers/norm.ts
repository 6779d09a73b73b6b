import { batchNormalize } from '../batch-norm.js';
import type { LayerMaker } from '../network.js';

/** Batch normalisation over all axes but the last (Ioffe & Szegedy 2015): ε = 1e-5, momentum 0.9. */
export const batchNorm = (): LayerMaker => ({
  kind: 'norm',
  build: (shape) => {
    const vector = [shape.at(-1) as number];
    return {
      outputShape: shape,
      params: {
        scale: { shape: vector, start: { kind: 'scale' } },
        offset: { shape: vector, start: { kind: 'zeros' } },
      },
      buffers: {
        mean: { shape: vector, start: { kind: 'zeros' } },
        variance: { shape: vector, start: { kind: 'ones' } },
      },
      apply: batchNormalize,
    };
  },
});
