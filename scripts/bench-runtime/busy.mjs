/** How fast a generator draws beside other work, in turns with a quiet machine. */
import { Generator, latents } from '@gpn/runtime';
import { burners, fairShare } from '../burners.mjs';
import { generatorFile, SYSTEMS } from './models.mjs';
import { median, PERIOD, repeatedly } from './timing.mjs';

const BATCHES = [1, 64, 1024];
const ROUNDS = 8;

const p99 = (xs) => xs.toSorted((a, b) => a - b)[Math.floor(0.99 * xs.length)];

/** A row for each batch; `of fair share` is 1 where a process gets what an even division leaves it. */
export async function busy({ threads, count }) {
  const generator = await Generator.load(generatorFile(SYSTEMS['dcgan-mnist (5)']), {
    device: 'cpu',
    threads,
  });
  const others = burners(count);
  const rows = [];
  for (const batch of BATCHES) {
    const z = latents(generator.info, batch, 1);
    const draw = () => generator.sample({ latents: z, batchSize: batch });
    const [quiet, beside] = [[], []];
    await repeatedly(draw, PERIOD); // warms up
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(...(await repeatedly(draw, PERIOD)));
      others.burn();
      beside.push(...(await repeatedly(draw, PERIOD)));
      others.rest();
    }
    rows.push({
      batch,
      'quiet ms': median(quiet),
      'busy ms': median(beside),
      'of fair share': mean(quiet) / mean(beside) / fairShare(threads, count),
      'quiet p99 ms': p99(quiet),
      'busy p99 ms': p99(beside),
    });
  }
  others.end();
  await generator.dispose();
  return rows;
}

const mean = (xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
