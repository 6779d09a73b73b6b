/**
 * Loaded first by `--import`, this puts TF.js's cpu backend in the place of @tensorflow/tfjs-node:
 * like that package it registers a backend called tensorflow, though one in JavaScript.
 */
import { register } from 'node:module';

const hooks = `
  const url = ${JSON.stringify(new URL('./tensorflow-backend.mjs', import.meta.url).href)};
  export const resolve = (name, context, next) =>
    name === '@tensorflow/tfjs-node' ? { url, shortCircuit: true } : next(name, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
