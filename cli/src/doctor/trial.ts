/**
 * The program of a child process: tries one device, on the engine that is named, and sends the
 * result. If a driver crashes or hangs, the doctor itself goes on.
 */
import type * as training from '@gpn/training';

const [device, engine] = process.argv.slice(2) as Parameters<typeof training.tryDevice>;
// Imported below, so that a library that does not load is a result too.
const answer = await tryOut().then(
  (trial) => ({ trial }),
  (error: Error) => ({ error: error.message }),
);
// Some drivers crash at exit: only after the result has been sent.
process.send?.(answer, () => process.exit(0));

async function tryOut() {
  const { tryDevice } = await import('@gpn/training');
  return tryDevice(device, engine);
}
