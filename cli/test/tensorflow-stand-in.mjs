/**
 * Loaded first by `--import`, this puts something else in the place of @tensorflow/tfjs-node: a backend
 * in JavaScript that is called tensorflow, too; with `?bare` at its end, the package without its
 * native part; with `?absent`, nothing.
 */
import { register } from 'node:module';

const { href } = new URL('./tensorflow-backend.mjs', import.meta.url);
const bare =
  'The Node.js native addon module (tfjs_binding.node) can not be found at path: nowhere. \n';
const PLACES = {
  '': href,
  '?bare': `data:text/javascript,throw new Error(${encodeURIComponent(JSON.stringify(bare))})`,
};

const hooks = `
  const url = ${JSON.stringify(PLACES[new URL(import.meta.url).search])};
  const absent = (name) =>
    Object.assign(new Error(\`Cannot find package '\${name}'\`), { code: 'ERR_MODULE_NOT_FOUND' });
  export const resolve = (name, context, next) => {
    if (!/^@tensorflow.tfjs-node/.test(name)) return next(name, context);
    if (url && name === '@tensorflow/tfjs-node') return { url, shortCircuit: true };
    throw absent(name);
  };
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
