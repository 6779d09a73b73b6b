/**
 * Reads changed inputs, one after the other, in a process that the watchdog may end. It says before
 * each input which one it is, because it may not live to say so afterwards.
 */
import { rmSync } from 'node:fs';
import { inputOf } from './inputs.mjs';
import { READERS, scratch } from './readers.mjs';

/** Errors that a program prints as one sentence. */
const SENTENCES = new Set(['UserError', 'ExportError']);

/** What the language says, and a user can do nothing with. */
const INNER =
  /Cannot (read prop|set prop|convert|use)|is not (a function|iterable)|variable: undefined|call stack/;

async function tried(name, bytes) {
  try {
    await READERS[name].read(bytes);
    return { ended: 'result' };
  } catch (error) {
    if (SENTENCES.has(error?.name)) {
      const bad = INNER.test(error.message);
      return { ended: bad ? 'inner message' : 'sentence', ...(bad && { error: error.message }) };
    }
    return { ended: 'other error', error: String(error?.stack ?? error) };
  }
}

process.on('message', async ({ seed, from, step, until, file }) => {
  if (file !== undefined) {
    const { readFileSync } = await import('node:fs');
    process.send({ index: 0, ...(await tried(file.reader, readFileSync(file.path))) });
  } else {
    for (let index = from; index < until; index += step) {
      const [name, bytes] = inputOf(seed, index);
      process.send({ begins: index, name });
      process.send({ index, name, ...(await tried(name, bytes)) });
      // Lets the messages go.
      if (index % 8 === from % 8) await new Promise(setImmediate);
    }
  }
  rmSync(scratch, { recursive: true, force: true });
  process.send({ done: true }, () => process.exit(0));
});
