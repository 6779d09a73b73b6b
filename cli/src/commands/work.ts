import { processors } from '@gpn/runtime';
import { work } from '../bulk/queue/work.js';
import { checkFolder } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { WORK } from '../options/work.js';
import { print, printAside } from '../terminal/print.js';

export async function run(options: OptionsOf<typeof WORK>): Promise<void> {
  const { queue, jobs = processors(), once = false, base } = options;
  if (base !== undefined) await checkFolder(base, '--base');
  const stop = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    printAside(
      '\ngpn-cli: Ends when the shards that were begun are done; press Ctrl-C again to stop at once.\n',
    );
    stop.abort();
  };
  for (const name of names) process.on(name, onSignal);
  try {
    const done = await work({ queue, jobs, once, base }, stop.signal);
    print(`${done} ${done === 1 ? 'shard was' : 'shards were'} done.\n`);
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
