/** Weights that a `.keras` file numbers, where they do not fit the layers; models/keras3-numbered has such. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { convertModel, ExportError } from '../src/index.js';
import { scratch } from './models-files.js';

const folder = scratch();
const kept = fileURLToPath(new URL('./models/keras3-numbered', import.meta.url));

interface Spec {
  name: string;
  shape: number[];
}

/** The kept model with other weights said to be in its file. */
function written(change: (specs: Spec[]) => Spec[]): string {
  const at = folder();
  cpSync(kept, at, { recursive: true });
  const file = join(at, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  json.weightsManifest[0].weights = change(json.weightsManifest[0].weights);
  writeFileSync(file, JSON.stringify(json));
  return file;
}

test.each<[string, (specs: Spec[]) => Spec[], RegExp]>([
  [
    'missing',
    (specs) =>
      specs.map((spec, i) =>
        i === specs.length - 1 ? { ...spec, name: 'optimizer/vars/0' } : spec,
      ),
    /has no weight layers\/time_distributed_1\/layer\/vars\/1 for .*bias.*convert the original again/,
  ],
  [
    'of a layer that is not there',
    (specs) => specs.map((spec) => ({ ...spec, name: spec.name.replace('/dense/', '/dense_7/') })),
    /has a weight layers\/dense_7\/vars\/0, but no layer for it/,
  ],
  [
    'of another shape',
    (specs) => specs.map((spec) => ({ ...spec, shape: [...spec.shape].reverse() })),
    /The weight .* has the shape \[.*\], where .* takes \[.*\]/,
  ],
])('a weight %s is named', async (_, change, sentence) => {
  const file = written(change);
  const failed = convertModel(file);
  await expect(failed).rejects.toThrow(sentence);
  await expect(failed).rejects.toThrow(ExportError);
});
