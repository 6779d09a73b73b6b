/** Searches: keys with distributions, named as Optuna names them, in place of a grid. */
import * as z from 'zod';
import { count } from '../keys/values.js';

const path = z.string().min(1).max(200);
const LOG_FROM = { error: 'more than 0 with log' };
const NO_STEP = { error: 'left out with log' };
const RANGE = { error: 'at least low' };

/** A range of numbers; logarithms have no steps. */
const numbers = <const T extends string>(type: T, number: z.ZodNumber | z.ZodInt) =>
  z
    .strictObject({
      type: z.literal(type),
      low: number,
      high: number,
      log: z.boolean().default(false),
      step: number.gt(0).optional(),
    })
    .refine(({ low, high }) => low <= high, { ...RANGE, path: ['high'] })
    .refine(({ low, log }) => !log || low > 0, { ...LOG_FROM, path: ['low'] })
    .refine(({ step, log }) => !log || step === undefined, { ...NO_STEP, path: ['step'] });

const distribution = z.discriminatedUnion(
  'type',
  [
    numbers('float', z.number()),
    numbers('int', z.int({ error: 'a whole number' })),
    z.strictObject({
      type: z.literal('categorical'),
      choices: z
        .array(
          z.union([z.string().max(4096), z.number(), z.boolean(), z.null()], {
            error: 'a text, a number, true, false or null',
          }),
        )
        .min(1)
        .max(1000),
    }),
  ],
  { error: 'float, int or categorical' },
);

/** Samplers of Optuna that take no more than its `ask` command can give them. */
const SAMPLERS = [
  'TPESampler',
  'RandomSampler',
  'CmaEsSampler',
  'GPSampler',
  'NSGAIISampler',
  'NSGAIIISampler',
  'QMCSampler',
  'BruteForceSampler',
] as const;

const some = (group: object): boolean => Object.keys(group).length > 0;
const SOME = { error: 'a group with at least one key' };

/** The schema of a search. */
export const searchSchema = z.strictObject({
  trials: count.max(100_000).describe('How many trials; of all machines together.'),
  directions: z
    .record(z.string().min(1).max(64), z.enum(['minimize', 'maximize']))
    .refine(some, SOME)
    .describe(
      'Which measures to minimize or to maximize; with several, the best are a Pareto front.',
    ),
  params: z
    .record(path, distribution)
    .refine(some, SOME)
    .describe('Distributions by the path of a key.'),
  sampler: z.enum(SAMPLERS).default('TPESampler').describe('The sampler of Optuna.'),
  sampler_kwargs: z
    .record(z.string().min(1).max(64), z.unknown())
    .default({})
    .describe('Its arguments; to its seed, the number of trials before is added.'),
});

export type Search = z.infer<typeof searchSchema>;
export type Distribution = z.infer<typeof distribution>;

/** What shows whether recipes take a distribution: its ends, or all choices. */
const tried = (of: Distribution): unknown[] =>
  of.type === 'categorical'
    ? // Leaving a key out shows nothing of it, not even whether there is one of its name.
      of.choices.filter((choice) => choice !== null)
    : [of.low, of.high];

/** The ends of the distributions: all first and all last values, to try whether recipes take them. */
export function endsOf({ params }: Search): Record<string, unknown>[] {
  const end = (at: number) =>
    Object.fromEntries(Object.entries(params).map(([key, of]) => [key, tried(of).at(at) ?? null]));
  return [end(0), end(-1)];
}

/** Each value to try of each distribution, by its path. */
export const triedValues = ({ params }: Search): (readonly [path: string, value: unknown])[] =>
  Object.entries(params).flatMap(([path, of]) => tried(of).map((value) => [path, value] as const));
