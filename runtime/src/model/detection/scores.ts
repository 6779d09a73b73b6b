/** What a discriminator says of images, and of all parts of a picture. */
import type { ScoreMeaning } from '../../format/model-info.js';
import type { Rectangle } from '../../format/pictures/picture.js';

/** Scores and what they mean. */
export interface Scores {
  meaning: ScoreMeaning;
  /** One for each image, rectangle or window. */
  values: Float32Array;
}

/** Scores of windows all over a picture: `values` is [rows, columns], in row-major order. */
export interface ScoreMap extends Scores {
  rows: number;
  columns: number;
  /** Pixels from one window to the next. */
  stride: number;
  /** The window of the first score, in pixels; a fragment's frame may lie outside the picture. */
  first: Rectangle;
  /**
   * Of a detector of several scales: the maps of the reduced picture, in pixels of the picture itself, so that
   * windows are larger and further apart.
   */
  coarser?: ScoreMap[];
}
