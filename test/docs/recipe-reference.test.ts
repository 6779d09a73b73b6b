import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recipeSchema } from '../../training/src/recipe/schema.js';
import { recipeDocument, type Schema, undescribed } from './recipe-reference.js';

const schema = z.toJSONSchema(recipeSchema, { io: 'input', unrepresentable: 'any' }) as Schema;

describe('the reference of recipe keys', () => {
  it('has a description for every key', () => {
    expect(undescribed(schema)).toEqual([]);
  });

  it('is what docs/reference/recipe.md says; npm run docs:recipe writes it anew', async () => {
    const text = recipeDocument(schema);
    await expect(text).toMatchFileSnapshot('../../docs/reference/recipe.md');
  });
});
