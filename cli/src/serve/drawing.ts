/** What a user asks to draw, as the inputs of a generator: of the command `sample` and of the server. */
import {
  classOf,
  type GridPlan,
  gridInputs,
  type ModelInfo,
  type SampleOptions,
} from '@gpn/runtime';
import type { Codes } from '../options/declare/parsers.js';

/** What to draw, in a user's words. */
export interface Wanted {
  readonly seed: number;
  readonly count?: number | undefined;
  /** A class by name or number, or `all`. */
  readonly label?: string | undefined;
  readonly latents?: Float32Array | undefined;
  readonly code?: Codes | undefined;
}

/** Inputs of a generator, and how many images belong in a row if that matters. */
export interface Drawing {
  readonly inputs: SampleOptions;
  readonly columns?: number;
}

/** The class that is asked for; `all` for a row of each; undefined if the model chooses by itself. */
function labelOf(info: ModelInfo, { label, count, latents, code }: Wanted) {
  const { condition } = info;
  if (label !== undefined) return label === 'all' && condition ? 'all' : classOf(info, label);
  const few = count === undefined && latents === undefined;
  return condition && (few || code) ? 'all' : undefined;
}

/** @throws UserError if the model has no such class or code, or they are too many images */
export function drawingOf(info: ModelInfo, wanted: Wanted): Drawing {
  const { seed, count, latents, code } = wanted;
  const label = labelOf(info, wanted);
  const given = {
    seed,
    ...(latents !== undefined && { latents }),
    ...(count !== undefined && { count }),
  };
  if (label !== 'all' && code === undefined) {
    return { inputs: { ...given, ...(label !== undefined && { labels: label }) } };
  }
  const plan: GridPlan = {
    ...given,
    ...(typeof label === 'number' && { labels: [label] }),
    ...(code && { codes: code.fixed }),
    ...(code?.sweep && { sweep: code.sweep }),
  };
  const { columns, ...inputs } = gridInputs(info, plan);
  return { inputs, columns };
}
