/** Networks of the user's own, from files and from programs. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Generator, stream, UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import { exportRun } from '../src/export/run.js';
import { ganOf } from '../src/recipe/gan.js';
import { recipeHash } from '../src/recipe/hash.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { defineNetworks } from '../src/recipe/own/networks.js';
import { train } from '../src/run/loop.js';
import { startingState } from '../src/steps/state.js';
import { distance, noiseImages } from './small-gan.js';

const root = new URL('../../', import.meta.url).pathname;
const guide = new URL('../../docs/guides/your-own-network.md', import.meta.url);

let folder: string;
/** The code blocks of the guide, by the names in their first lines; `recipe` is its recipe. */
const blocks: Record<string, string> = {};

beforeAll(async () => {
  // In the repository, so that the files find the packages that they import.
  await mkdir(join(root, 'scratch'), { recursive: true });
  folder = await mkdtemp(join(root, 'scratch/networks-'));
  const text = await readFile(guide, 'utf8');
  for (const [, language, code = ''] of text.matchAll(/```(js|yaml)\n(.*?)```/gs)) {
    const name = /^\/\/ (\S+)\n/.exec(code)?.[1] ?? language;
    blocks[name as string] ??= code;
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
/** Writes a network's file and a recipe that names it; the recipe's path. */
async function written(code: string, change = (yaml: string) => yaml): Promise<string> {
  count++;
  await writeFile(join(folder, `network-${count}.js`), code);
  const yaml = (blocks.yaml as string)
    .replace('my-network', `network-${count}`)
    .replace('dataset: faces', 'dataset: images');
  const path = join(folder, `recipe-${count}.yml`);
  await writeFile(path, change(yaml));
  return path;
}
/** With a quarter of the channels, for TensorFlow.js's slow backend. */
const narrow = () =>
  written(
    (blocks['my-network.js'] as string)
      .replaceAll(/(\b(?:de)?conv\(4, \d, \d, )(16|32)\)/g, (_, head, n) => `${head}${n / 4})`)
      .replaceAll('attention(4)', 'attention(2)'),
  );
const plain = () => written(blocks['plain-network.js'] as string);

describe('the networks of the guide', () => {
  it.each([
    ['with attention', narrow],
    ['of functions', plain],
  ])('%s: twenty steps equal TensorFlow.js’s', async (_, write) => {
    const recipe = resolveRecipe(await write());
    recipe.training.batch_size = 2;
    const gan = ganOf(recipe);
    const [phase] = gan.phases as [(typeof gan.phases)[number]];
    const { feeds } = phase.data(noiseImages(recipe.data, 64));
    const rates = Object.fromEntries(
      Object.entries(phase.rates).map(([name, rate]) => [
        `rates/${name}`,
        { dtype: 'float32' as const, shape: [], data: Float32Array.of(rate) },
      ]),
    );
    const start = startingState(gan.state, 'normal', stream(1, 'initialization'));
    const compiled = await compile(phase.step, phase.inputs, { device: 'cpu' });
    compiled.load(start);
    await tf.setBackend('cpu');
    let state = start;
    for (let k = 0; k < 20; k++) {
      const given = { ...feeds(k), ...rates };
      const metrics = await compiled.run(given);
      const eager = runEagerly(phase.step, phase.inputs, { state, feeds: given });
      state = eager.state;
      for (const [name, loss] of Object.entries(eager.metrics)) {
        expect(Math.abs((metrics[name] as number) - loss), name).toBeLessThan(1e-4);
      }
    }
    for (const [name, tensor] of Object.entries(state)) {
      expect(distance(compiled.state()[name] as never, tensor), name).toBeLessThan(2e-3);
    }
    await compiled.dispose();
  });

  it('is trained, stopped, resumed, exported and verified; a changed file is refused', async () => {
    const path = await plain();
    const changed = (await readFile(path, 'utf8'))
      .replace(
        /data: .*\n/,
        'data: { dataset: mnist, height: 28, width: 28, channels: 1, range: [0, 1] }\n',
      )
      .replace('steps: 5000', 'steps: 6');
    await writeFile(path, changed);
    const out = join(folder, 'run');
    const recipe = resolveRecipe(path);
    const controller = new AbortController();
    const on = (event: { type: string; step?: number }) => {
      if (event.type === 'step' && event.step === 2) controller.abort();
    };
    const stopped = await train(recipe, { out, device: 'cpu', signal: controller.signal, on });
    expect(stopped.type).toBe('interrupted');

    const file = recipe.model.network;
    const code = await readFile(file, 'utf8');
    await writeFile(file, code.replaceAll('64', '65'));
    const refused = 'is not the file that the recipe or the run was started with';
    await expect(exportRun(out, { network: 'generator', out: 'x.onnx' })).rejects.toThrow(refused);
    await expect(train(recipe, { out, device: 'cpu', resume: true })).rejects.toThrow(refused);
    await writeFile(file, code);

    const done = await train(resolveRecipe(path), { out, device: 'cpu', resume: true });
    expect(done).toMatchObject({ type: 'done', step: 6 });
    await using generator = await Generator.load(done.generator as string, { device: 'cpu' });
    expect((await generator.verify()).ok).toBe(true);
    const images = await generator.sample({ count: 3, seed: 1 });
    expect(images.data.length).toBe(3 * 28 * 28);
  });

  it('are the same recipe wherever the file lies, and another if it differs', async () => {
    const [one, two, other] = [
      await plain(),
      await plain(),
      await written(`${blocks['plain-network.js']}\n// changed`),
    ].map((path) => recipeHash(resolveRecipe(path)));
    expect(one).toBe(two);
    expect(other).not.toBe(one);
  });

  it('come from a program, too', async () => {
    const path = await plain();
    const module = (await import(join(folder, `network-${count}.js`))) as { default: unknown };
    defineNetworks('plain', module.default);
    const recipe = resolveRecipe('gan-mnist', { network: 'plain', steps: 2, batchSize: 8 });
    const done = await train(recipe, { out: join(folder, 'defined'), device: 'cpu' });
    expect(existsSync(done.generator as string)).toBe(true);
    expect(() => defineNetworks('resnet', module.default)).toThrow('cannot have the name resnet');
    expect(existsSync(path)).toBe(true);
  });
});

describe('a network’s file', () => {
  /** The plain networks, with the discriminator's `apply` replaced. */
  const judging = (body: string, more = '') =>
    (blocks['plain-network.js'] as string).replace(
      /const rows = .*\n.*\n/,
      `const rows = tf.reshape(images, [images.shape[0], pixels]);\n${body}\n`,
    ) + more;
  const score = 'return tf.matMul(tf.relu(tf.matMul(rows, first)), last);';

  const CASES: Record<string, [() => string, string]> = {
    'does not parse': [() => 'export default {', 'cannot be loaded: Unexpected end of input.'],
    'throws as it is loaded': [() => "throw new Error('no');", 'cannot be loaded: no.'],
    'imports what is not there': [
      () => "import 'nowhere';",
      "cannot be loaded: Cannot find package 'nowhere'",
    ],
    waits: [() => 'export default await 1;', 'waits for something as it is loaded'],
    'exports nothing': [() => 'export default 3;', 'must give { generator, discriminator }'],
    'has no discriminator': [
      () => (blocks['plain-network.js'] as string).replace('discriminator: {', 'judge: {'),
      'the discriminator is missing.',
    ],
    throws: [
      () => judging("throw new Error('no such layer');"),
      'the discriminator fails: no such layer.',
    ],
    'returns a wrong shape': [
      () => judging('return tf.matMul(rows, first);'),
      'the discriminator fails: apply returns [N, 64] and not [N, 1], its outputShape.',
    ],
    'returns no tensor': [
      () => judging('return 3;'),
      'the discriminator fails: apply returns no tensor.',
    ],
    'leaves out a parameter': [
      () => judging('return tf.sum(tf.matMul(rows, first), 1, true);'),
      'the discriminator does not use its parameter last: what it returns does not depend on it.',
    ],
    'reads a tensor': [
      () => judging(`if (rows.dataSync()[0] > 0) return tf.zeros([1]); ${score}`),
      'the discriminator reads the values of a tensor',
    ],
    'uses Math.random': [
      () => judging(`return tf.mul(Math.random(), ${score.slice(7, -1)});`),
      'the discriminator draws random numbers',
    ],
    'draws by TensorFlow.js': [
      () => judging(`return tf.add(tf.randomNormal([1]), ${score.slice(7, -1)});`),
      'the discriminator draws random numbers',
    ],
    'counts its calls': [
      () => judging(`calls++; return tf.mul(calls, ${score.slice(7, -1)});`, '\nlet calls = 0;'),
      'the discriminator computes something else each time it is called',
    ],
    'uses an operation without an ONNX form': [
      () =>
        judging(
          `const ids = tf.tensor1d([0], 'int32'); return tf.add(tf.sum(tf.sparse.sparseSegmentSum(rows, ids, ids)), ${score.slice(7, -1)});`,
        ),
      'the discriminator uses SparseSegmentSum of TensorFlow.js, which has no ONNX form here',
    ],
    'uses an operation without a gradient': [
      () =>
        judging(
          'const all = tf.matMul(rows, first); return tf.matMul(tf.mul(all, tf.topk(all, 64).values), last);',
        ),
      'the discriminator uses TopK of TensorFlow.js, which has no gradient',
    ],
    'is made for one batch': [
      () =>
        judging(
          `const ramp = tf.reshape(tf.linspace(0, 1, images.shape[0]), [-1, 1]); return tf.matMul(tf.mul(ramp, tf.relu(tf.matMul(rows, first))), last);`,
        ),
      'the discriminator is made for one size of the batch',
    ],
  };

  it.each(Object.entries(CASES))(
    'that %s is refused in one sentence',
    async (_, [code, sentence]) => {
      const path = await written(code());
      const error = await Promise.resolve()
        .then(() => resolveRecipe(path))
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toContain(join(folder, `network-${count}.js`));
      expect((error as Error).message).toContain(sentence);
      expect((error as Error).message).not.toContain('\n');
    },
  );

  it('that is not there is named', async () => {
    const path = await plain();
    await rm(join(folder, `network-${count}.js`));
    expect(() => resolveRecipe(path)).toThrow(/network-\d+\.js/);
  });

  it('names the layer of a sequence', async () => {
    const broken = (blocks['my-network.js'] as string).replace(
      'return tf.add(x, tf.mul',
      'x.dataSync(); return tf.add(x, tf.mul',
    );
    const path = await written(broken);
    expect(() => resolveRecipe(path)).toThrow(
      'the generator, in the layer attention1, reads the values of a tensor',
    );
  });

  it('with TensorFlow.js’s softmax is refused with a penalty on slopes, and taken without', async () => {
    const own = (blocks['my-network.js'] as string).replace('softmax(tf', 'tf.softmax(tf');
    const penalized = (yaml: string) => yaml.replace('loss: hinge', 'loss: hinge\n  r1: 1');
    resolveRecipe(await written(own));
    resolveRecipe(await written(blocks['my-network.js'] as string, penalized));
    const path = await written(own, penalized);
    expect(() => resolveRecipe(path)).toThrow(
      'uses Softmax of TensorFlow.js, whose second derivative',
    );
  });
});
