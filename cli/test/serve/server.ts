/** A server in the test's own process, whose models run in its own thread. */
import { readSource } from '@gpn/runtime';
import { appOf } from '../../src/serve/app.js';
import type { Limits } from '../../src/serve/dispatch.js';
import { openEngine } from '../../src/serve/engine.js';
import { metricsOf } from '../../src/serve/metrics.js';
import { openModels } from '../../src/serve/work.js';

export interface Settings {
  readonly token?: string;
  readonly body?: number;
  readonly images?: number;
  readonly timeout?: number;
  readonly limits?: Partial<Limits>;
  readonly hasMemory?: () => boolean;
}

/** @param models names of bundled models, or files by the names that requests use */
export async function serverOf(
  models: readonly (string | [name: string, bytes: Uint8Array])[],
  settings: Settings = {},
) {
  const named = await Promise.all(
    models.map(async (model) =>
      typeof model === 'string'
        ? { name: model, bytes: (await readSource(model)).bytes }
        : { name: model[0], bytes: model[1] },
    ),
  );
  const errors: string[] = [];
  const running = { device: 'cpu', threads: 1, batch: 16, pixels: 1e6 } as const;
  const limits = { queue: 1000, batch: 16, delay: 1, timeout: 600_000, ...settings.limits };
  const engine = await openEngine(named, openModels, { workers: 1, running, limits });
  const app = await appOf(
    () => engine,
    metricsOf(() => engine.dispatcher.waiting),
    {
      ...{ version: '1.2.3', body: 2 ** 20, images: 100, timeout: 600_000, hasMemory: () => true },
      ...settings,
      onError: (sentence) => errors.push(sentence),
    },
  );
  return {
    ...{ app, engine, errors },
    close: async () => {
      await app.close();
      await engine.close();
    },
  };
}
