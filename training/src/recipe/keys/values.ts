/** Kinds of values that recipes have. */
import { z } from 'zod';

// Zod's own int says "number" of what is no number at all.
export const whole = z.int({
  error: ({ code }) => (code === 'invalid_type' ? 'a whole number' : undefined),
});
export const sidePixels = whole.min(1).max(1024);
export const count = whole.min(1).max(1_000_000_000);
export const learningRate = z.number().gt(0).max(1);
export const size = whole.min(1).max(4096);
export const ratio = whole.min(1).max(100);
export const decay = z.number().min(0).lt(1);
