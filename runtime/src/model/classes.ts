import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';

/**
 * The number of a model's class, given as its number or its name.
 *
 * @throws UserError that lists the classes if there is no such class
 */
export function classOf({ name, condition }: ModelInfo, text: string): number {
  if (condition === undefined) {
    throw new UserError(`${name} has no classes, so it takes no labels.`);
  }
  const { classes, names = [] } = condition;
  const named = names.findIndex((known) => known.toLowerCase() === text.toLowerCase());
  const number = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : classes;
  if (number < classes) return number;
  const list = names.length > 0 ? ` (${names.join(', ')})` : '';
  throw new UserError(`${name} has no class ${text}: its classes are 0 to ${classes - 1}${list}.`);
}
