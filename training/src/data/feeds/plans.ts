/** Every plan by which the feeds of a phase are made. */
import { rowsAt } from '../rows.js';
import type { Images } from '../types.js';
import { type FeedPlan, fedBy } from './feeds.js';
import { type DeceptionPlan, deceptionBy, type FragmentPlan, fragmentsBy } from './fragments.js';

/** How the feeds of a phase are made; a plan without a kind shows whole images. */
export type Plan = FeedPlan | FragmentPlan | DeceptionPlan;

/**
 * The feeds of a data set by a plan, each a function of the number of its step alone.
 * @throws UserError if the plan cannot use the data set
 */
export function feedsBy(plan: Plan, dataset: Images) {
  if (!('kind' in plan)) return fedBy(plan, dataset, (chosen) => rowsAt(dataset, chosen));
  return plan.kind === 'fragments' ? fragmentsBy(plan, dataset) : deceptionBy(plan, dataset);
}

/** A round of a phase that takes turns with others; its steps continue those of the round before. */
export interface Turn {
  readonly round: number;
  readonly rounds: number;
}

/** The steps of a turn, out of all steps of its phase: from the first up to before the last. */
export const stepsOfTurn = (all: number, { round, rounds }: Turn) => ({
  from: Math.floor((all * round) / rounds),
  to: Math.floor((all * (round + 1)) / rounds),
});
