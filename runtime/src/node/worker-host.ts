/**
 * Runs sessions in a process of its own: a thread could not be ended while it is in native
 * code.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.js';
import { GENEROUS } from '../format/limits.js';
import { mebibytes } from '../format/onnx/policy.js';
import type { OpenOptions } from '../session/ort-session.js';
import { Remote, workersBy } from '../session/remote.js';

/** The script of the worker: beside this one, or where a bundler has put it. */
function scriptOf(script: OpenOptions['worker']): string {
  const given = typeof script === 'object' || typeof script === 'string';
  const file = given ? String(script) : new URL('./worker.js', import.meta.url).href;
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  if (existsSync(path)) return path;
  throw new UserError(
    `The worker could not be started (there is no file ${path}): bundle @gpn/runtime/worker as a script of its own beside the program, named worker.js, or give its URL as { worker }.`,
  );
}

function start({ worker: script, limits }: OpenOptions): Remote {
  const { memory = GENEROUS.memory } = limits ?? {};
  const child = fork(scriptOf(script), [String(memory)], {
    execArgv: [],
    serialization: 'advanced', // typed arrays
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let killed = false;
  const remote: Remote = new Remote({
    postMessage: (message) => void child.send(message as object),
    // A program may end with models that were never disposed of, but not while it awaits a result.
    busy: (waiting) => {
      if (waiting) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
    kill: () => {
      killed = true;
      child.kill('SIGKILL');
    },
  });
  child.on('message', (message) => remote.receive(message));
  child.on('error', (error) =>
    remote.fail(new UserError(`The worker could not be started: ${error.message}.`)),
  );
  child.on('exit', (code, signal) => {
    if (killed) return;
    // The worker's watch and the system's both end it this way.
    remote.ended(
      signal === 'SIGKILL'
        ? `it needs more than ${mebibytes(memory)}, its limit of memory`
        : `its process ended with ${signal ?? `code ${code}`}`,
    );
  });
  return remote;
}

/** Opens a model in a worker: in one of its own if it has limits. */
export const openInWorker = workersBy(start);
