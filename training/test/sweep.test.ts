/** The rows of a sweep. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluationOf, type Recipe, readSweep, resolveRecipe, type SweepRow } from '@gpn/training';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'gpn-sweep-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'sweep.yml');
function read(text: string) {
  writeFileSync(file, text);
  return readSweep(file);
}
const recipes = (text: string) => read(text).rows.map(({ recipe }) => recipe as Recipe);

test('rows are the named changes times the grid times the seeds', () => {
  const { rows } = read(`recipe: gan-mnist
runs: [{ name: plain }, { name: hinge, set: { training.loss: hinge } }]
grid: { training.batch_size: [8, 16], training.optimizer.beta1: [0, 0.5] }
seeds: [3, 7]
steps: 20
`);
  expect(rows).toHaveLength(2 * 2 * 2 * 2);
  expect(rows[0]?.name).toBe('plain,batch_size=8,beta1=0-seed3');
  const last = rows.at(-1) as SweepRow;
  expect(last.name).toBe('hinge,batch_size=16,beta1=0.5-seed7');
  const { training } = last.recipe as Recipe;
  expect(training).toMatchObject({ loss: 'hinge', batch_size: 16, seed: 7, steps: 20 });
  expect(training.optimizer.beta1).toBe(0.5);
  expect(training.epochs).toBe(undefined);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
});

test('without changes there is one setting, the recipe itself', () => {
  const { rows } = read('recipe: gan-mnist\n');
  expect(rows.map(({ name }) => name)).toEqual(['gan-mnist-seed0']);
  const recipe = resolveRecipe('gan-mnist', { seed: 0 });
  expect(rows[0]?.recipe).toEqual(recipe);
});

test('null leaves a key out, and steps and epochs replace one another', () => {
  const [plain, long] = recipes(`recipe: dcgan-mnist
runs:
  - { name: plain, set: { training.schedule: null } }
  - { name: long, set: { training.steps: 7 } }
`);
  expect(plain?.training.schedule).toBe(null);
  expect(long?.training.steps).toBe(7);
  expect(long?.training.epochs).toBe(undefined);
});

test('a setting builds on another by a merge key', () => {
  const [, small] = recipes(`recipe: dcgan-mnist
runs:
  - { name: short, set: &short { training.steps: 5, training.batch_size: 9 } }
  - { name: small, set: { <<: *short, training.batch_size: 7 } }
`);
  expect(small?.training).toMatchObject({ steps: 5, batch_size: 7 });
  expect(() => recipes('recipe: dcgan-mnist\nruns: [{ name: a, set: { <<: 3 } }]\n')).toThrow(
    /is not valid YAML: Merge sources must be maps/,
  );
});

test('names that would be the same file get a number', () => {
  const { rows } = read(
    'recipe: gan-mnist\nruns: [{ name: a }, { name: A }, { name: a, set: { training.batch_size: 9 } }]\n',
  );
  expect(rows.map(({ setting }) => setting)).toEqual(['a', 'A-2', 'a-3']);
});

test('paths are relative to the file of the sweep', () => {
  const { sweep, base, rows } = read(`recipe: gan-mnist
runs: [{ name: mine, set: { data.dataset: pictures } }]
evaluate: { features: ./judge.onnx, samples: 50 }
`);
  const recipe = rows[0]?.recipe as Recipe;
  expect(recipe.data.dataset).toBe(resolve(folder, 'pictures'));
  expect(evaluationOf(sweep, recipe, base)).toEqual({
    data: resolve(folder, 'pictures'),
    features: resolve(folder, 'judge.onnx'),
    samples: 50,
  });
});

test('a bad row says why, and leaves the others as they are', () => {
  const { rows } = read(`recipe: gan-mnist
runs:
  - { name: a }
  - { name: b, set: { training.los: hinge } }
  - { name: c, set: { training.batch_size: none } }
  - { name: d, set: { training.seed: 1 } }
`);
  const why = rows.map(({ recipe }) => (typeof recipe === 'string' ? recipe : 'ok'));
  expect(why).toEqual([
    'ok',
    'training.los is not a known key; did you mean loss?',
    'training.batch_size must be a whole number, found "none".',
    'training.seed must be left out: the seeds of a sweep are its key seeds.',
  ]);
});

test.each([
  ['recip: gan-mnist\n', 'line 1: recip is not a known key; did you mean recipe?'],
  [
    'recipe: gan-mnist\nseeds: [1, 1]\n',
    'line 2: seeds must be a number of seeds, or a list of different ones',
  ],
  ['recipe: gan-mnist\nsteps: 5\nminutes: 2\n', 'line 3: minutes must be left out with steps'],
  ['recipe: gan-mnits\n', 'There is no recipe gan-mnits (did you mean gan-mnist?)'],
  ['', 'is empty; a sweep has at least a recipe'],
])('a sweep that is wrong is refused: %j', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test.each([
  [
    'a grid that undoes what a run sets',
    'runs: [{ name: a, set: { training.loss: hinge } }]\ngrid: { training.loss: [modified] }',
    'line 3: grid.training.loss must be left out: the run a, which it would undo, sets it, too.',
  ],
  [
    'a group after one of its keys',
    'runs: [{ name: a, set: { data.range: [0, 1], data: {} } }]',
    'runs[0].set.data.range must be left out: data after it sets it, too.',
  ],
  ['a path with an empty key', 'grid: { training..r1: [1] }', 'must be the path of a key, such as'],
  [
    'more runs than can be',
    `grid: { a: ${JSON.stringify(Array(1000).fill(0))}, b: ${JSON.stringify(Array(1000).fill(0))} }`,
    'they make 1000000 runs, and 100000 are the most',
  ],
  [
    'an alias inside of itself',
    'runs: &r [{ name: a, set: { training.loss: *r } }]',
    'line 2: *r is inside of what it stands for.',
  ],
  ['a second document', '---\nrecipe: gan-mnist', 'after --- begins another document'],
])('%s is a sentence', (_, text, sentence) => {
  expect(() => read(`recipe: gan-mnist\n${text}\n`)).toThrow(sentence);
});

test('names fit into file systems, whatever the letters', () => {
  const { rows } = read(`recipe: gan-mnist\ngrid: { data.dataset: [${'漢'.repeat(150)}] }\n`);
  expect(Buffer.byteLength(`${rows[0]?.name}.json`)).toBeLessThan(255);
});

test.each(['stability', 'gpn'])('all recipes of the study %s are right', (name) => {
  const study = fileURLToPath(new URL(`../../scripts/studies/${name}.yml`, import.meta.url));
  const wrong = readSweep(study).rows.filter(({ recipe }) => typeof recipe === 'string');
  expect(wrong).toEqual([]);
});
