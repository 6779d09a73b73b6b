/** Hostile models, and elements that are removed, in Chromium. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { elsewhere, endless, greedy } from '../../runtime/test/hostile-models.js';
import { exported } from './model.js';
import { pageOf } from './page.js';

const { chromium, page } = pageOf(async (folder) => {
  writeFileSync(join(folder, 'g.onnx'), await exported('generator'));
  writeFileSync(join(folder, 'endless.onnx'), endless());
  writeFileSync(join(folder, 'greedy.onnx'), greedy(29));
  writeFileSync(join(folder, 'elsewhere.onnx'), elsewhere());
  writeFileSync(join(folder, 'secret.bin'), new Uint8Array(96));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><html lang="en"><title>hostile</title><script type="module" src="runtime/elements/index.js"></script>',
  );
});

/** Runs a module's text in the page; `load` opens a model by wasm. */
const inPage = (text: string): Promise<unknown> =>
  page().evaluate(`(async () => {
    const { Generator } = await import('/runtime/web/index.js');
    const load = (name, options) => Generator.load(name, { assets: 'ort', device: 'wasm', ...options });
    ${text}
  })()`);

chromium(
  'a model that never returns ends with its abort, and its worker’s others go on',
  async () => {
    const found = await inPage(`
    const other = await load('g.onnx');
    const before = await other.sample({ count: 2 });
    const abort = new AbortController();
    // Its first run, which a page makes when it loads a model, never ends.
    const running = new Promise((resolve) => {
      window.loading = load('endless.onnx', {
        signal: abort.signal,
        onProgress: ({ phase }) => phase === 'warm-up' && resolve(),
      }).catch((error) => error.message);
    });
    await running;
    const waiting = other.sample({ count: 2 });
    setTimeout(() => abort.abort(new Error('enough')), 300);
    const message = await window.loading;
    const after = await waiting;
    await other.dispose();
    return [message, after.data.every((v, i) => v === before.data[i])];
  `);
    expect(found).toEqual(['enough', true]);
    // The worker itself is gone, too, not only its answer.
    await expect.poll(() => page().workers().length).toBe(0);
  },
);

chromium('a model is ended at its limits of time and of memory', async () => {
  const found = await inPage(`
    const drawn = async (name, limits) => {
      try {
        const generator = await load(name, { limits });
        await generator.sample({ count: 1 });
        return 'drawn';
      } catch (error) {
        return error.message;
      }
    };
    return [
      await drawn('endless.onnx', { time: 2000 }),
      await drawn('greedy.onnx', { memory: 2 ** 28 }),
      await drawn('g.onnx', { memory: 2 ** 28 }),
    ];
  `);
  expect(found).toEqual([
    'endless.onnx was stopped: it took longer than 2 s, its limit of time.',
    expect.stringMatching(/^greedy\.onnx (failed while running|is not a model that)/),
    'drawn',
  ]);
});

chromium('a model gets no weights from another file, though it lies beside it', async () => {
  const asked: string[] = [];
  page().on('request', (request) => asked.push(request.url()));
  const message = await inPage(`
    return load('elsewhere.onnx').then(() => 'loaded', (error) => error.message);
  `);
  expect(message).toMatch(
    /^elsewhere\.onnx is not a model that ONNX Runtime can load: .*external/i,
  );
  expect(asked.filter((url) => url.includes('secret'))).toEqual([]);
});

chromium('an element that is removed leaves the worker to the next one', async () => {
  await page().evaluate(`
    window.events = [];
    addEventListener('gpn-load', ({ target }) => events.push('load ' + target.id));
    addEventListener('gpn-sample', ({ target }) => events.push('sample ' + target.id));
    const add = (id, count) => {
      const made = document.createElement('gpn-generator');
      for (const [name, value] of Object.entries({ id, src: 'g.onnx', assets: 'ort', device: 'wasm', count }))
        made.setAttribute(name, String(value));
      document.body.append(made);
      return made;
    };
    const first = add('first', 100000);
    addEventListener('gpn-load', () => {
      first.remove();
      add('second', 4);
    }, { once: true });
  `);
  await page().waitForFunction(`events.includes('sample second')`);
  expect(await page().evaluate('events')).toEqual(['load first', 'load second', 'sample second']);
});
