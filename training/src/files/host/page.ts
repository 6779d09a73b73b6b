/** What a training asks of the machine, in a page: it has no files. */
import { UserError } from '@gpn/runtime';
import type * as node from './node.js';

export const dirname: typeof node.dirname = () => '.';
export const resolve: typeof node.resolve = (...paths) => paths.at(-1) ?? '.';

const refuse = (path: string): never => {
  throw new UserError(
    `${path} is a file, which a page cannot load: make the step with gpn-cli export --training-step, and give that.`,
  );
};

export const pathOfModel: typeof node.pathOfModel = (name) => name;

export const read: typeof node.read = refuse;
export const load: typeof node.load = refuse;
export const readAt: typeof node.readAt = refuse;
