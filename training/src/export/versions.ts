import { version_core } from '@tensorflow/tfjs-core';

/** The versions of this package and of TF.js, by package name; exported files name them. */
export const VERSIONS = {
  /** That of package.json, which pages do not have; a test compares them. */
  gpn: '0.2.0',
  '@tensorflow/tfjs-core': version_core,
};
