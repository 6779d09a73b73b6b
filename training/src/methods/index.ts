import { adversarial } from './adversarial.js';
import { began } from './began.js';
import { infogan } from './infogan.js';
import type { MethodMaker } from './method.js';
import { predictive } from './predictive.js';

export type MethodName = 'adversarial' | 'infogan' | 'began' | 'predictive';

/** The ways of training a pair of networks, by the names that recipes use. */
export const METHODS: Readonly<Record<MethodName, MethodMaker>> = {
  adversarial,
  infogan,
  began,
  predictive,
};
