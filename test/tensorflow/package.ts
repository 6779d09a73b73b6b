/**
 * TensorFlow's package for Node to test with. Without it the tests that need it are skipped, and named
 * in the last lines of the run; if GPN_TENSORFLOW is `required`, as in `.ci/run`, they fail.
 */
import { createRequire } from 'node:module';

/** Why a test that needs the package is skipped, or fails. */
export const NO_TENSORFLOW =
  'there is no @tensorflow/tfjs-node here, and `npm run tensorflow` gets one';

const require = createRequire(import.meta.url);

/** Whether the package is there. @throws Error if it must be */
export function hasTensorflow(): boolean {
  try {
    require.resolve('@tensorflow/tfjs-node');
    return true;
  } catch {
    if (process.env.GPN_TENSORFLOW === 'required') throw new Error(NO_TENSORFLOW);
    return false;
  }
}

/** Loads the package, which registers the backend tensorflow. */
export const loadTensorflow = (): void => void require('@tensorflow/tfjs-node');
