/** Reads saved results and checks that they are comparable. */
import { UserError } from '@gpn/runtime';
import * as z from 'zod';
import { MEASURES } from './measures.js';
import { PARTS, protocolDifferences, protocolHash } from './protocol.js';
import type { Evaluation } from './types.js';

const range = z.tuple([z.number(), z.number()]);
const share = z.array(z.number());

/** JSON has no infinity, which a divergence may be, so it is written and read as null. */
const value = z
  .number()
  .nullable()
  .transform((x) => x ?? Number.POSITIVE_INFINITY);

const result = z.object({
  value,
  interval: z.tuple([value, value]).optional(),
  seeds: z.array(value),
  floor: value.optional(),
  ceiling: value.optional(),
  levels: z.array(z.object({ size: z.tuple([z.int(), z.int()]), value })).optional(),
});

const features = z.object({
  name: z.string(),
  sha256: z.string(),
  size: z.int(),
  range,
});

const schema = z.object({
  version: z.literal(1),
  model: z.object({ name: z.string(), sha256: z.string().optional() }),
  protocol: z.object({
    version: z.literal(1),
    data: z.object({
      name: z.string(),
      hash: z.string(),
      count: z.int(),
      part: z.enum(PARTS),
    }),
    features: features.optional(),
    modes: z.object({ count: z.int(), judge: features }).optional(),
    sliced: z
      .object({
        pictures: z.int(),
        patches: z.int(),
        side: z.int(),
        directions: z.int(),
        seed: z.int(),
      })
      .optional(),
    labels: z.literal('as in the data').optional(),
    samples: z.int(),
    seeds: z.array(z.int()),
    neighbours: z.int(),
    kernelBlock: z.int(),
    compared: z.int(),
    random: z.string(),
  }),
  protocolHash: z.string(),
  scores: z.partialRecord(z.enum(Object.keys(MEASURES) as (keyof typeof MEASURES)[]), result),
  classes: z.object({ names: z.array(z.string()), generated: share, real: share }).optional(),
  notes: z.array(z.string()),
});

/**
 * Parses a result that `gpn-cli eval --json` has written.
 *
 * @param label the name of the result in errors
 * @throws UserError if it is not such a result, or its protocol does not match its hash
 */
export function parseEvaluation(text: string, label: string): Evaluation {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${label} is not JSON: give a result of gpn-cli eval --json, or a model.`);
  }
  const { success, data, error } = schema.safeParse(renamed(json));
  if (!success) {
    const [issue] = error.issues;
    throw new UserError(
      `${label} is not a result of gpn-cli eval --json (${issue?.path.join('.')}: ${issue?.message}).`,
    );
  }
  const evaluation = data as Evaluation;
  if (protocolHash(evaluation.protocol) !== evaluation.protocolHash) {
    throw new UserError(`${label} was altered: its protocol does not match its hash.`);
  }
  return evaluation;
}

/** Renames the pixel deviation, which versions up to 0.2.0 call `variance`. */
function renamed(json: unknown): unknown {
  const { scores, ...rest } = Object(json) as { scores?: unknown };
  if (typeof scores !== 'object' || scores === null || !('variance' in scores)) return json;
  const { variance: deviation, ...others } = scores;
  return { ...rest, scores: { ...others, deviation } };
}

/**
 * Checks that results were measured by the same protocol.
 *
 * @throws UserError naming the parts of the protocols that differ
 */
export function checkComparable(evaluations: readonly Evaluation[]): void {
  const [first, ...others] = evaluations;
  for (const other of others) {
    if (!first || other.protocolHash === first.protocolHash) continue;
    const parts = protocolDifferences(first.protocol, other.protocol);
    throw new UserError(
      `${first.model.name} and ${other.model.name} were measured by different protocols, so their ` +
        `figures cannot be compared; they differ in ${parts.join(', ')}.`,
    );
  }
}
