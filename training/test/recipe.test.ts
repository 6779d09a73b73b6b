import { readFileSync } from 'node:fs';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseRecipe } from '../src/recipe/yaml.js';

const text = readFileSync(new URL('../recipes/dcgan-mnist.yml', import.meta.url), 'utf8');

/** The recipe with one line changed, and the number of that line. */
function change(line: string, ...by: string[]): { changed: string; number: number } {
  const lines = text.split('\n');
  const at = lines.indexOf(line);
  if (at < 0) throw new Error(`The recipe has no line ${line}`);
  lines.splice(at, 1, ...by);
  return { changed: lines.join('\n'), number: at + 1 };
}

function problem(yaml: string): string {
  try {
    parseRecipe(yaml, 'my.yml');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('it was accepted');
}

test('a recipe is what its YAML says', () => {
  const recipe = parseRecipe(text, 'my.yml');
  expect(recipe).toEqual(parse(text));
  // The main example's settings, key by key.
  expect(recipe).toMatchObject({
    data: { dataset: 'mnist', height: 28, width: 28, channels: 1, range: [0, 1] },
    model: {
      network: 'dcgan-mnist',
      latent: { size: 16, distribution: 'uniform' },
      spectral_norm: true,
      batch_norm: true,
      initialization: 'normal',
    },
    training: {
      loss: 'modified',
      label_smoothing: 0.1,
      batch_size: 64,
      epochs: 20,
      optimizer: {
        type: 'adam',
        generator_lr: 0.0002,
        discriminator_lr: 0.0005,
        beta1: 0.5,
        beta2: 0.99,
      },
      schedule: { type: 'plateau', factor: 0.8, patience: 5 },
    },
  });
});

test.each<[string, string, (recipe: ReturnType<typeof parseRecipe>) => unknown, unknown]>([
  ['  epochs: 20', '  steps: 300', (r) => [r.training.steps, r.training.epochs], [300, undefined]],
  ['  range: [0, 1]', '  range: [-1, 1]', (r) => r.data.range, [-1, 1]],
  ['  dataset: mnist', '  dataset: ../faces', (r) => r.data.dataset, '../faces'],
  ['  seed: 0', '  seed: 9007199254740991', (r) => r.training.seed, 2 ** 53 - 1],
  ['  # classes: [0, 8]', '  classes: [0, cat]', (r) => r.data.classes, [0, 'cat']],
  ['  label_smoothing: 0.1', '  label_smoothing: 0', (r) => r.training.label_smoothing, 0],
])('%s may be %s', (line, by, pick, expected) => {
  expect(pick(parseRecipe(change(line, by).changed, 'my.yml'))).toEqual(expected);
});

test('a recipe may have no description and no schedule', () => {
  const lines = text.split('\n').filter((line) => !/^description|^ {2}schedule/.test(line));
  const kept = lines.filter((line) => !/^ {4}(type: plateau|factor|patience)/.test(line));
  const recipe = parseRecipe(kept.join('\n'), 'my.yml');
  expect([recipe.description, recipe.training.schedule]).toEqual(['', null]);
});

describe('a mistake in a recipe is one sentence that says where and what to do:', () => {
  const batch = '  batch_size: 64';
  test.each<[line: string, by: string, sentence: string]>([
    [batch, '  batchsize: 64', 'training.batchsize is not a known key; did you mean batch_size?'],
    [batch, '  batch-size: 64', 'training.batch-size is not a known key; did you mean batch_size?'],
    ['  seed: 0', '  seed: zero', 'training.seed must be a whole number, found "zero".'],
    ['  seed: 0', '  seed:', 'training.seed must be a whole number, found nothing.'],
    ['  seed: 0', '  seed: -1', 'training.seed must be at least 0, found -1.'],
    ['  seed: 0', '  seed: 1.5', 'training.seed must be a whole number, found 1.5.'],
    ['  seed: 0', '  seed: 1e300', 'training.seed must be at most 9007199254740991, found 1e+300.'],
    [batch, '  batch_size: 0', 'training.batch_size must be at least 1, found 0.'],
    [batch, '  batch_size: 5000', 'training.batch_size must be at most 4096, found 5000.'],
    [batch, '  batch_size: [64]', 'training.batch_size must be a whole number, found [64].'],
    [batch, '  batch_size: { is: 64 }', 'training.batch_size must be a whole number.'],
    [
      '  loss: modified',
      '  loss: mse',
      'training.loss must be minimax, modified, least_squares, wasserstein, hinge, relativistic or relativistic_pairs, found "mse".',
    ],
    ['    beta1: 0.5', '    beta1: 1', 'training.optimizer.beta1 must be less than 1, found 1.'],
    [
      '    generator_lr: 2.0e-4',
      '    generator_lr: 0',
      'training.optimizer.generator_lr must be more than 0, found 0.',
    ],
    [
      '    generator_lr: 2.0e-4',
      '    generator_lr: .inf',
      'training.optimizer.generator_lr must be a number, found Infinity.',
    ],
    [
      '  initialization: normal',
      '  initialization: he',
      'model.initialization must be normal, xavier or kaiming, found "he".',
    ],
    [
      '  batch_norm: true',
      '  batch_norm: yes',
      'model.batch_norm must be true or false, found "yes".',
    ],
    [
      '  range: [0, 1]',
      '  range: [0, 255]',
      'data.range must be the list [0, 1] or [-1, 1], found [0, 255].',
    ],
    [
      '  range: [0, 1]',
      '  range: [1]',
      'data.range must be the list [0, 1] or [-1, 1], found [1].',
    ],
    [
      '  channels: 1 # 1 grey, 3 colour',
      '  channels: 2',
      'data.channels must be 1, 3 or 4, found 2.',
    ],
    [
      '  height: 28',
      '  height: 32',
      'data.height must be 28 for the network dcgan-mnist, found 32.',
    ],
    [
      '  # classes: [0, 8]',
      '  classes: []',
      'data.classes must be at least 1 item long, found [].',
    ],
    [
      '  # classes: [0, 8]',
      '  classes: [cat, 1.5]',
      'data.classes[1] must be the name of a class or a digit, found 1.5.',
    ],
    ['    factor: 0.8', '    factor: 1', 'training.schedule.factor must be less than 1, found 1.'],
    [
      '    factor: 0.8',
      '    facto: 1',
      'training.schedule.facto is not a known key; did you mean factor?',
    ],
    [
      '    type: plateau',
      '    type: step',
      'training.schedule.type must be plateau or cosine, found "step".',
    ],
    [
      'name: dcgan-mnist',
      'name: my recipe',
      'name must be made of at most 64 letters, digits, dots, dashes and underscores, found "my recipe".',
    ],
    ['name: dcgan-mnist', 'nme: x', 'nme is not a known key; did you mean name?'],
    [
      'name: dcgan-mnist',
      'batch_size: 64',
      'batch_size is not a known key; did you mean training.batch_size?',
    ],
    [
      'name: dcgan-mnist',
      'turbo: true',
      'turbo is not a known key; known here: name, description, data, model, training, output.',
    ],
  ])('%s -> %s', (line, by, sentence) => {
    const { changed, number } = change(line, by);
    expect(problem(changed)).toBe(`my.yml, line ${number}: ${sentence}`);
  });

  test('a missing key is placed where its group begins', () => {
    const training = text.split('\n').indexOf('training:') + 1;
    const { changed } = change('  seed: 0');
    expect(problem(changed)).toBe(
      `my.yml, line ${training}: training.seed is missing; it must be a whole number.`,
    );
    expect(problem('name: x\n')).toBe(
      'my.yml, line 1: data is missing; it must be a group of keys.',
    );
  });

  test('epochs and steps: one of them', () => {
    const training = text.split('\n').indexOf('training:') + 1;
    const sentence = `my.yml, line ${training}: training must be given one of the keys epochs and steps, and not both.`;
    expect(problem(change('  epochs: 20').changed)).toBe(sentence);
    expect(problem(change('  epochs: 20', '  epochs: 20', '  steps: 5').changed)).toBe(sentence);
  });

  test('the right key is named among several', () => {
    const { changed, number } = change('  seed: 0', '  seed: x', '  labelsmoothing: 1');
    expect(problem(changed)).toBe(
      `my.yml, line ${number + 1}: training.labelsmoothing is not a known key; did you mean label_smoothing?`,
    );
  });

  test.each([
    ['', 'my.yml is empty; a recipe has at least a name.'],
    ['# a comment', 'my.yml is empty; a recipe has at least a name.'],
    ['- 1', 'my.yml, line 1: the recipe must be a group of keys, found [1].'],
    ['hello', 'my.yml, line 1: the recipe must be a group of keys, found "hello".'],
    ['a: 1\na: 2', 'my.yml, line 2: this is not valid YAML: Map keys must be unique.'],
    ['a: [1', 'my.yml, line 1: this is not valid YAML: Flow sequence in block collection must be'],
    ['a: 1\nb: !x 1', 'my.yml, line 2: this is not valid YAML: Unresolved tag'],
    ['a: *x', 'my.yml is not valid YAML: Unresolved alias'],
    ['a: 1\n---\nb: 2', 'my.yml, line 2: after --- begins another document, and a recipe is one.'],
    ['x'.repeat(100_001), 'my.yml has 100001 characters, too many for a recipe.'],
  ])('what is no recipe at all, case %#', (yaml, sentence) => {
    const message = problem(yaml);
    expect(message.slice(0, sentence.length)).toBe(sentence);
    expect(message).not.toContain('\n');
  });

  test('aliases that would fill the memory', () => {
    const levels = Array.from({ length: 9 }, (_, i) =>
      i === 0
        ? 'a0: &a0 [x]'
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(', ')}]`,
    );
    expect(problem(levels.join('\n'))).toMatch(/^my\.yml is not valid YAML: Excessive alias count/);
  });
});
