import { adversarial } from './adversarial.js';
import { began } from './began.js';
import { infogan } from './infogan.js';
import { predictive } from './predictive.js';

/** The training methods, by the names that recipes use. */
export const METHODS = { adversarial, infogan, began, predictive };

/** The name of a method. */
export type MethodName = keyof typeof METHODS;
