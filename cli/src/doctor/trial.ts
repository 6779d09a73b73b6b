/**
 * The program of a child process: tries one device and sends the result. If a driver crashes or
 * hangs, the doctor itself goes on.
 */
const [device] = process.argv.slice(2);
// Imported below, so that a library that does not load is a result too.
const answer = await tryOut().then(
  (trial) => ({ trial }),
  (error: Error) => ({ error: error.message }),
);
// Some drivers crash at exit: only after the result has been sent.
process.send?.(answer, () => process.exit(0));

async function tryOut() {
  const { tryDevice } = await import('@gpn/training');
  return tryDevice(device as Parameters<typeof tryDevice>[0]);
}
