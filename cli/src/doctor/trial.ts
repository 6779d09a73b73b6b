/**
 * The program of a child process: tries one device and sends what came out. A driver that crashes
 * or hangs then takes down nothing else.
 */
const [device] = process.argv.slice(2);
// Imported here, so that a library that does not load is an answer too.
const answer = await tryOut().then(
  (trial) => ({ trial }),
  (error: Error) => ({ error: error.message }),
);
// Some drivers crash at exit, once their answer is safe.
process.send?.(answer, () => process.exit(0));

async function tryOut() {
  const { tryDevice } = await import('@gpn/training');
  return tryDevice(device as Parameters<typeof tryDevice>[0]);
}
