/** A process that computes shards, one at a time. It ends with the process that started it. */
import { UserError } from '@gpn/runtime';
import { createComputer } from './compute.js';
import type { Answer, Task } from './pool.js';

process.on('disconnect', () => process.exit());

const computer = createComputer();
const answer = (message: Answer): void => void process.send?.(message);

process.on('message', async ({ base, folder, shard }: Task) => {
  try {
    process.chdir(base); // the plan's paths start there
    const counts = await computer.compute(folder, shard, (items) => answer({ items }));
    answer({ done: true, ...(counts && { counts }) });
  } catch (error) {
    // A bug is thrown where it can be seen; the parent sees that this process ends.
    if (!(error instanceof UserError)) throw error;
    answer({ refused: error.message });
  }
});
