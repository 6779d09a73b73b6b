import { processors } from '@gpn/runtime';
import { work } from '../../bulk/queue/work.js';
import { checkFolder } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { WORK } from '../../options/work.js';
import { interruptible } from '../../terminal/interrupt.js';
import { print } from '../../terminal/print.js';

export async function run(options: OptionsOf<typeof WORK>): Promise<void> {
  const { queue, jobs = processors(), once = false, base } = options;
  if (base !== undefined) await checkFolder(base, '--base');
  const interrupt = interruptible('Ends when the shards that were begun are done');
  try {
    const done = await work({ queue, jobs, once, base }, interrupt.signal);
    print(`${done} ${done === 1 ? 'shard was' : 'shards were'} done.\n`);
  } finally {
    interrupt.release();
  }
}
