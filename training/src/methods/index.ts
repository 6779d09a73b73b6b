import { adversarial } from './adversarial.js';
import { began } from './began.js';
import { infogan } from './infogan.js';
import { predictive } from './predictive.js';

/** The ways of training a pair of networks, by the names that recipes use. */
export const METHODS = { adversarial, infogan, began, predictive };

export type MethodName = keyof typeof METHODS;
