import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';

const require = createRequire(import.meta.url);
const versionOf = (file: string): string => (require(file) as { version: string }).version;

/** The versions of this package and of TF.js, by package name; exported files name them. */
export const VERSIONS = {
  gpn: versionOf('../../package.json'),
  '@tensorflow/tfjs-core': tf.version_core,
};
