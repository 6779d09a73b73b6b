import type { Cases } from './case.js';
import { ELEMENTWISE } from './elementwise.js';
import { GATHERS } from './gather.js';
import { GROUPED } from './grouped.js';
import { IMAGES } from './image.js';
import { LINEAR } from './linear.js';
import { NORMS } from './norm.js';
import { REDUCTIONS } from './reduce.js';
import { SHAPES } from './shape.js';
import { SPECTRA } from './spectral.js';

/** By family; a case is named after the kernel it is about. */
export const FAMILIES: Readonly<Record<string, Cases>> = {
  elementwise: ELEMENTWISE,
  reductions: REDUCTIONS,
  shapes: SHAPES,
  gathers: GATHERS,
  'products and convolutions': LINEAR,
  'convolutions in groups': GROUPED,
  normalisations: NORMS,
  images: IMAGES,
  spectra: SPECTRA,
};
