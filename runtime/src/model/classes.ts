import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';

/**
 * The number of a model's class, given as its name, its number, or `#` and its number.
 *
 * @throws UserError that lists the classes if there is no such class, or if a number is also the name of
 *   another class
 */
export function classOf({ name, condition }: ModelInfo, text: string): number {
  if (condition === undefined) {
    throw new UserError(`${name} has no classes, so it takes no labels.`);
  }
  const { classes, names = [] } = condition;
  const known = (word: string) => word.normalize('NFC').toLowerCase();
  const named = names.findIndex((each) => known(each) === known(text));
  const number = /^#?\d+$/.test(text) ? Number(text.replace('#', '')) : classes;
  if (named >= 0 && number < classes && named !== number) {
    throw new UserError(
      `${text} is the name of class ${named} of ${name}, and the number of class ${names[number]}: ` +
        `write #${named} or #${number}.`,
    );
  }
  if (named >= 0) return named;
  if (number < classes) return number;
  const list = names.length > 0 ? ` (${names.join(', ')})` : '';
  throw new UserError(`${name} has no class ${text}: its classes are 0 to ${classes - 1}${list}.`);
}
