import type { ModelInfo } from '@gpn/runtime';

/** A model that a page shows. */
export interface WebModel {
  /** Its file in the page's folder. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly info: ModelInfo;
}
