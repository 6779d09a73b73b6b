import { adversarial } from './adversarial.js';
import { began } from './began.js';
import { infogan } from './infogan.js';
import type { MethodMaker } from './method.js';

export type MethodName = 'adversarial' | 'infogan' | 'began';

/** The ways of training a pair of networks, by the names that recipes use. */
export const METHODS: Readonly<Record<MethodName, MethodMaker>> = { adversarial, infogan, began };
