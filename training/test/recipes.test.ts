import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { checkRecipe } from '../src/recipe/check.js';
import { recipeHash } from '../src/recipe/hash.js';
import { recipeNames, resolveRecipe } from '../src/recipe/load.js';
import { parseRecipe, recipeToYaml } from '../src/recipe/yaml.js';
import { temporaryFolder } from './temp-folder.js';

const dir = await temporaryFolder();

test.each(recipeNames())('%s is a recipe of that name', (name) => {
  const recipe = resolveRecipe(name);
  expect(recipe.name).toBe(name);
  expect(recipe.description).not.toBe('');
});

test('the main example is among the recipes', () => {
  expect(recipeNames()).toContain('dcgan-mnist');
});

describe('resolveRecipe', () => {
  test('lets overrides take the place of what the recipe says', () => {
    const recipe = resolveRecipe('dcgan-mnist', { seed: 7, batchSize: 32, dataset: 'faces' });
    expect(recipe.training).toMatchObject({ seed: 7, batch_size: 32, epochs: 20 });
    expect(recipe.data.dataset).toBe(resolve('faces'));
    expect(resolveRecipe('dcgan-mnist', { epochs: 3 }).training.epochs).toBe(3);
    const { training } = resolveRecipe('dcgan-mnist', { steps: 60 });
    expect([training.steps, training.epochs]).toEqual([60, undefined]);
  });

  test.each<[Parameters<typeof resolveRecipe>[1], string]>([
    [{ epochs: 0 }, '--epochs must be at least 1, found 0.'],
    [{ steps: 1.5 }, '--steps must be a whole number, found 1.5.'],
    [{ batchSize: Number.NaN }, '--batch-size must be a whole number, found NaN.'],
    [{ seed: -1 }, '--seed must be at least 0, found -1.'],
    [{ epochs: 1, steps: 1 }, 'Give one of --epochs and --steps, not both.'],
  ])('%o is an error that names the option', (overrides, sentence) => {
    expect(() => resolveRecipe('dcgan-mnist', overrides)).toThrow(new UserError(sentence));
  });

  test('takes a data set relative to the file that names it, and --data to the working directory', async () => {
    await mkdir(join(dir, 'sub'));
    const path = join(dir, 'sub', 'mine.yml');
    const recipe = { ...resolveRecipe('dcgan-mnist'), name: 'mine' };
    recipe.data.dataset = '../faces';
    await writeFile(path, recipeToYaml(recipe));
    expect(resolveRecipe(path).data.dataset).toBe(join(dir, 'faces'));
    expect(resolveRecipe(path, { dataset: 'mnist' }).data.dataset).toBe('mnist');
    // What a run keeps means the same from anywhere.
    const kept = join(dir, 'recipe.yaml');
    await writeFile(kept, recipeToYaml(resolveRecipe(path)));
    expect(resolveRecipe(kept)).toEqual(resolveRecipe(path));
  });

  test('refuses a recipe and a file that do not exist', () => {
    const all = recipeNames().join(', ');
    expect(() => resolveRecipe('dcgan-mnits')).toThrow(
      new UserError(
        `There is no recipe dcgan-mnits (did you mean dcgan-mnist?); the recipes are ${all}, or give the path of a YAML file.`,
      ),
    );
    expect(() => resolveRecipe('zebra')).toThrow(/^There is no recipe zebra; the recipes are /);
    expect(() => resolveRecipe('./zebra')).toThrow(
      new UserError('Cannot read ./zebra: no such file or folder.'),
    );
    expect(() => resolveRecipe('zebra.yml')).toThrow(
      new UserError('Cannot read zebra.yml: no such file or folder.'),
    );
  });
});

test('YAML keeps all of a recipe', () => {
  const recipe = resolveRecipe('dcgan-mnist', { steps: 12 });
  recipe.data.classes = [0, '0', 'a: b # c', 'null', '007'];
  recipe.description = `${'Long '.repeat(60)}"quoted"\nand on # two lines`;
  recipe.training.schedule = null;
  recipe.training.optimizer.generator_lr = 1e-7 / 3;
  const yaml = recipeToYaml(recipe);
  expect(parseRecipe(yaml, 'x')).toEqual(recipe);
  expect(yaml).toContain('  range: [ 0, 1 ]\n');
});

describe('recipeHash', () => {
  const hash = recipeHash(resolveRecipe('dcgan-mnist'));

  test('is SHA-256 of canonical JSON', () => {
    // Spelled out once: keys sorted at every level.
    const json =
      '{"data":{"channels":1,"height":28,"range":[0,1],"width":28},' +
      '"model":{"batch_norm":true,"initialization":"normal",' +
      '"latent":{"distribution":"uniform","size":16},"network":"dcgan-mnist","spectral_norm":true},' +
      '"training":{"batch_size":64,"epochs":20,"label_smoothing":0.1,"loss":"modified",' +
      '"optimizer":{"beta1":0.5,"beta2":0.99,"discriminator_lr":0.0005,"generator_lr":0.0002,' +
      '"type":"adam"},"schedule":{"factor":0.8,"patience":5,"type":"plateau"},"seed":0}}';
    expect(hash).toBe(createHash('sha256').update(json).digest('hex'));
  });

  test('changes with what decides the outcome, and with that alone', () => {
    expect(recipeHash(resolveRecipe('dcgan-mnist', { seed: 1 }))).not.toBe(hash);
    expect(recipeHash(resolveRecipe('dcgan-mnist', { steps: 5 }))).not.toBe(hash);
    const other = resolveRecipe('dcgan-mnist', { dataset: 'copy-of-mnist' });
    other.name = 'mine';
    other.description = '';
    other.output.samples_every = 1;
    expect(recipeHash(other)).toBe(hash);
    // The order of keys is of no matter.
    const { training, ...rest } = resolveRecipe('dcgan-mnist');
    const turned = Object.fromEntries(Object.entries(training).reverse()) as typeof training;
    expect(recipeHash({ training: turned, ...rest })).toBe(hash);
  });
});

describe('a recipe whose network and method do not belong together', () => {
  const changed = (name: string, model: object) => {
    const recipe = resolveRecipe(name);
    return () => checkRecipe({ ...recipe, model: { ...recipe.model, ...model } });
  };

  test.each([
    [
      'dcgan-mnist',
      { network: 'began-mnist' },
      'made for the method adversarial, found began-mnist',
    ],
    ['began-mnist', { network: 'dcgan-mnist' }, 'made for the method began, found dcgan-mnist'],
    ['infogan-mnist', { network: 'dcgan-mnist' }, 'made for the method infogan, found dcgan-mnist'],
    [
      'infogan-mnist',
      { codes: undefined },
      'model.codes is missing; it must be given with the method infogan',
    ],
    [
      'dcgan-mnist',
      { categories: 10 },
      'model.categories must be left out with the method adversarial',
    ],
  ])('%s with %o', (name, model, sentence) => {
    expect(changed(name, model)).toThrow(sentence);
  });
});
