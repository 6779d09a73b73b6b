import { SIDES } from '@gpn/models';
import { describe, expect, it } from 'vitest';
import type { FolderSurvey } from '../src/data/pictures/index.js';
import { ganOf } from '../src/recipe/gan.js';
import { suggestRecipe, type Wishes } from '../src/recipe/suggest.js';
import { parseRecipe } from '../src/recipe/yaml.js';

const survey = (count: number, more: Partial<FolderSurvey> = {}): FolderSurvey => ({
  ...{ folder: '/somewhere/my pictures!', count, divided: false, formats: { png: count } },
  ...{ parts: [{ name: 'train', count }], modes: { colour: count }, deep: 0 },
  ...{ sizes: [{ width: 80, height: 64, count }], medianSide: 64, duplicates: [] },
  ...{ unreadable: [], foreign: {}, others: 0 },
  ...more,
});

/** The recipe that is suggested, as it is read. */
const suggested = (of: FolderSurvey, wishes?: Wishes) =>
  parseRecipe(suggestRecipe(of, '../my pictures!', wishes), 'recipe.yml');

const inClasses = (...counts: number[]) => {
  const count = counts.reduce((a, b) => a + b, 0);
  const classes = counts.map((each, k) => ({ name: `class ${k}`, count: each }));
  return survey(count, { parts: [{ name: 'train', count, classes }] });
};

describe('the recipe for a folder', () => {
  it('names the folder relative to itself, and has a name that a run can have', () => {
    const recipe = suggested(survey(5000));
    expect(recipe.data.dataset).toBe('../my pictures!');
    expect(recipe.name).toBe('my-pictures-');
  });

  it('has the largest side that the pictures have, up to 32 pixels', () => {
    expect(suggested(survey(5000)).data).toMatchObject({ height: 32, width: 32 });
    expect(suggested(survey(5000, { medianSide: 27 })).data.height).toBe(24);
    expect(suggested(survey(5000, { medianSide: 5 })).data.height).toBe(16);
    expect(suggested(survey(5000), { size: 64 }).data.height).toBe(64);
  });

  it('is grey if no picture has a colour', () => {
    expect(suggested(survey(5000)).data.channels).toBe(3);
    expect(suggested(survey(5000, { modes: { grey: 5000 } })).data.channels).toBe(1);
    expect(suggested(survey(5000, { modes: { grey: 4999, colour: 1 } })).data.channels).toBe(3);
  });

  it('changes images at random, and mirrors them, if there are very few', () => {
    const few = suggested(survey(200));
    expect(few.training.augmentation).toEqual(['color', 'translation', 'cutout']);
    expect(few.data.flip).toBe(true);
    const more = suggested(survey(5000));
    expect([more.training.augmentation, more.data.flip]).toEqual([undefined, false]);
    const grey = suggested(survey(200, { modes: { grey: 200 } }));
    expect(grey.training.augmentation).toEqual(['translation', 'cutout']);
    const { augmentation } = suggested(survey(5000), { network: 'resnet' }).training;
    expect(augmentation).toEqual(['color', 'translation', 'cutout']);
  });

  it('shows each picture 120 times without augmentation, and has augmentation for more', () => {
    expect(suggested(survey(3786)).training.steps).toBe(Math.ceil((120 * 3786) / 64));
    expect(suggested(survey(50_000)).training.steps).toBe(20_000);
    expect(suggested(survey(1999)).training).toMatchObject({
      steps: 20_000,
      augmentation: ['color', 'translation', 'cutout'],
    });
    const wished = suggested(survey(3786), { steps: 7100 }).training;
    expect(wished).toMatchObject({ steps: 7100, augmentation: ['color', 'translation', 'cutout'] });
    expect(suggested(survey(3786), { steps: 7099 }).training.augmentation).toBeUndefined();
  });

  it('has the classes of sub-folders that are large enough, or as wished', () => {
    expect(suggested(inClasses(1000, 2000)).model.classes).toBe(2);
    expect(suggested(inClasses(2000, 999)).model.classes).toBeUndefined();
    expect(suggested(inClasses(100, 20), { labels: true }).model.classes).toBe(2);
    expect(suggested(inClasses(1000, 2000), { labels: false }).model.classes).toBeUndefined();
    expect(() => suggested(survey(500), { labels: true })).toThrow('has no sub-folders');
  });

  it('has batches that the pictures fill', () => {
    expect(suggested(survey(5000)).training.batch_size).toBe(64);
    expect(suggested(survey(40)).training.batch_size).toBe(32);
    expect(() => suggested(survey(3))).toThrow('has 3 picture(s) to train with: a GAN needs');
  });

  it('leaves out what cannot be read, if there is any', () => {
    expect(suggested(survey(5000)).data.skip_unreadable).toBeUndefined();
    const broken = survey(5000, { unreadable: [{ file: 'a.png', reason: 'is cut off' }] });
    expect(suggested(broken).data.skip_unreadable).toBe(true);
  });

  it.each(['resnet', 'dcgan'] as const)('makes a pair of networks of the family %s', (network) => {
    const { pair } = ganOf(suggested(inClasses(60, 70), { network, steps: 50 }), 1 / 4);
    expect(pair.generator.outputShape).toEqual([32, 32, 3]);
    expect(pair.discriminator.inputShape).toEqual([32, 32, 3]);
  });

  it('trains a DCGAN at high rates that fall, with an average', () => {
    const { model, training } = suggested(survey(5000));
    expect(model).toMatchObject({ network: 'dcgan', batch_norm: true, initialization: 'normal' });
    expect(training).toMatchObject({ loss: 'modified', generator_average: 0.999 });
    expect(training.optimizer).toMatchObject({ generator_lr: 1e-3, beta1: 0.5 });
    expect(training.schedule).toMatchObject({ type: 'cosine', factor: 0.05 });
    expect(training.r1).toBeUndefined();
  });

  it('has only sides that the networks can have', () => {
    expect(SIDES.slice(0, 9)).toEqual([16, 20, 24, 28, 32, 40, 48, 56, 64]);
    expect(SIDES.at(-1)).toBe(256);
    expect(() => suggested(survey(5000), { size: 33 })).toThrow('The size must be one of 16, 20');
  });
});
