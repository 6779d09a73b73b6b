import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { processors, readSource, reasonOf, UserError } from '@gpn/runtime';
import type { OptionsOf } from '../options/declare/spec.js';
import type { SERVE } from '../options/serve.js';
import { appOf } from '../serve/app.js';
import { type Engine, namedSources, openEngine } from '../serve/engine.js';
import type { Named } from '../serve/jobs.js';
import { metricsOf } from '../serve/metrics.js';
import { openInThread } from '../serve/threads.js';
import { interruptible } from '../terminal/interrupt.js';
import { print, printAside } from '../terminal/print.js';

const MEBI = 2 ** 20;

/** Milliseconds from one look at the memory to the next. */
const LOOK = 250;

const version = (): string =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

/** Serves until a signal ends it: what was taken is answered before. */
export async function run(models: string[], options: OptionsOf<typeof SERVE>): Promise<void> {
  const { host, port, json, maxMemory, timeout } = options;
  const token = options.token ?? process.env.GPN_TOKEN;
  if (token === '')
    throw new UserError('The token is empty: give --token a text, or leave it out.');
  const workers = options.workers ?? 1;
  const threads = options.threads ?? Math.max(1, Math.floor(processors() / workers));
  const settings = {
    workers,
    running: {
      device: options.device,
      threads,
      batch: options.maxBatch,
      pixels: options.maxPixels * 1e6,
    },
    limits: {
      queue: options.maxQueue,
      batch: options.maxBatch,
      delay: options.batchDelay,
      timeout: timeout * 1000,
    },
  };
  const say = (event: string, sentence: string, more: object = {}) =>
    print(json ? `${JSON.stringify({ event, ...more })}\n` : `${sentence}\n`);
  const sources = namedSources(models);
  let engine: Engine | undefined;
  const metrics = metricsOf(() => engine?.dispatcher.waiting ?? 0);
  const open = async () => openEngine(await readAll(sources), openInThread, settings, metrics);

  engine = await open();
  let hasMemory = true;
  const memory =
    maxMemory &&
    setInterval(() => {
      hasMemory = process.memoryUsage.rss() <= maxMemory * MEBI;
    }, LOOK);
  const app = await appOf(() => engine, metrics, {
    ...{ version: version(), token, timeout: timeout * 1000 },
    ...{ body: options.maxBody * MEBI, images: options.maxImages },
    hasMemory: () => hasMemory,
    onError: (sentence) => printAside(`gpn-cli: A request failed: ${sentence}.\n`),
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    await engine.close();
    throw new UserError(`Cannot listen on ${host}, port ${port}: ${reasonOf(error)}.`);
  }
  const { port: taken } = app.addresses()[0] as { port: number };
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
  const names = [...engine.models.keys()];
  for (const { name, batches } of engine.models.values()) {
    if (batches || options.maxBatch === 1) continue;
    printAside(`${name}: requests do not share runs, because its results depend on the batch.\n`);
  }
  if (token === undefined && !/^(127\.|localhost$|::1$)/.test(host)) {
    printAside('Anyone who reaches this machine can send requests: --token asks for a token.\n');
  }
  say(
    'listening',
    `Serving ${names.join(', ')} at ${url} (${url}/docs/ to try it, Ctrl-C stops it)`,
    { url, models: names },
  );

  let reloading: Promise<void> = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(async () => {
      try {
        const fresh = await open();
        const old = engine;
        engine = fresh;
        say('reloaded', `Loaded ${[...fresh.models.keys()].join(', ')} again`);
        await old?.close();
      } catch (error) {
        printAside(`gpn-cli: The models were not loaded again: ${reasonOf(error)}.\n`);
      }
    });
  });
  const interrupt = interruptible(json ? undefined : 'Answering the requests that were taken');
  await once(interrupt.signal, 'abort');
  if (json) print('{"event":"stopping"}\n');
  await reloading;
  await app.close();
  await engine.close();
  clearInterval(memory);
  interrupt.release();
}

const readAll = (sources: readonly { name: string; source: string }[]): Promise<Named[]> =>
  Promise.all(
    sources.map(async ({ name, source }) => ({ name, bytes: (await readSource(source)).bytes })),
  );
