/**
 * What check.mjs measures, each in a process of its own: `node stages.mjs STAGE '{"device": …}'` prints
 * the result as JSON. A result has a `text` for the table, and `ok`.
 */
import { pathToFileURL } from 'node:url';

const short = (x) => Number(x.toPrecision(3));
const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];

export const STAGES = {
  /** Every bundled model's certificate. */
  async verify({ device }) {
    const { pretrainedModels } = await import('@gpn/models/pretrained');
    const { loadModel } = await import('@gpn/runtime');
    const failed = [];
    const models = pretrainedModels();
    for (const { name } of models) {
      try {
        const model = await loadModel(name, { device });
        const { ok } = await model.verify();
        if (!ok) failed.push(name);
        await model.dispose();
      } catch (error) {
        failed.push(`${name}: ${error.message}`);
      }
    }
    const right = models.length - failed.length;
    return { text: `${right} of ${models.length}`, failed, ok: failed.length === 0 };
  },

  /** The losses of the first steps, for check.mjs to compare. */
  async losses({ device, name, batch, steps }) {
    const { step, feeds } = await training(device, name, batch);
    const losses = [];
    for (let k = 0; k < steps; k++) losses.push(await step.run(feeds(k)));
    return { text: '', losses, ok: true };
  },

  /** Milliseconds a step, and the memory of the process. */
  async speed({ device, name, batch, steps }) {
    const { step, feeds } = await training(device, name, batch);
    const given = feeds(0);
    const times = [];
    for (let k = 0; k < steps + 1; k++) {
      const begun = performance.now();
      await step.run(given);
      if (k > 0) times.push(performance.now() - begun);
    }
    const mib = Math.round(process.resourceUsage().maxRSS / 1024);
    const ms = median(times);
    return { text: `${short(ms)} ms, ${mib} MiB`, ms, mib, ok: true };
  },

  /** Images a second. */
  async sample({ device, name, batch, steps }) {
    const { Generator } = await import('@gpn/runtime');
    const generator = await Generator.load(name, { device });
    await generator.sample({ count: batch, batchSize: batch, seed: 0 });
    const begun = performance.now();
    await generator.sample({ count: batch * steps, batchSize: batch, seed: 1 });
    const perSecond = (1000 * batch * steps) / (performance.now() - begun);
    return { text: `${short(perSecond)} images/s`, perSecond, ok: true };
  },
};

/** The recipe's data, or noise where it wants pictures of the user's own. */
async function dataOf({ data }) {
  const { loadDataset } = await import('@gpn/training');
  const { stream, UserError } = await import('@gpn/runtime');
  const { height, width, channels } = data;
  return loadDataset(data.dataset, data).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    const count = 1024;
    const pixels = count * height * width * channels;
    const images = Uint8Array.from(stream(0, 'pictures').uniform(pixels, 0, 256));
    return { name: 'noise', hash: 'noise', count, height, width, channels, images };
  });
}

/** A recipe's first phase, compiled for a device, with the feeds of its step k. */
async function training(device, name, batch) {
  const { compile, ganOf, resolveRecipe, startingState } = await import('@gpn/training');
  const { stream } = await import('@gpn/runtime');
  const { partsOf } = await import('../../training/dist/run/progress.js');
  const recipe = resolveRecipe(name, { steps: 1_000_000_000 });
  recipe.training.batch_size = batch;
  const gan = ganOf(recipe);
  const [phase] = gan.phases;
  const step = await compile(phase.step, phase.inputs, { device });
  step.load(startingState(gan.state, recipe.model.initialization, stream(0, 'check')));
  const [{ data }] = partsOf(gan.phases, await dataOf(recipe));
  const rates = Object.fromEntries(
    Object.entries(phase.rates).map(([key, rate]) => [
      `rates/${key}`,
      { dtype: 'float32', shape: [], data: Float32Array.of(rate) },
    ]),
  );
  return { step, feeds: (k) => ({ ...data.feeds(k), ...rates }) };
}

const [, script, stage, task] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  console.log(JSON.stringify(await STAGES[stage](JSON.parse(task))));
  process.exit(0); // sessions on a GPU may hold the process
}
