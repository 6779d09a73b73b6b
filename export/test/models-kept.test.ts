/**
 * Small models as converters write them, in models/: `x.npy` is an input and `y.npy` what Keras itself
 * makes of it (model.predict(x), Keras 3.15.1 for keras3-*, 2.15 for batch-norm-axis-1, 2.21 of tf_keras for
 * the others). The values of the other graphs are TensorFlow 2.21's; test/models/kinds.py has such.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, verifyModel } from '../src/index.js';
import { npy, open } from './models-files.js';

const folder = fileURLToPath(new URL('./models', import.meta.url));

it.each(readdirSync(folder))('%s is exported, and computes what Keras computes', async (name) => {
  const converted = await convertModel(join(folder, name));
  const session = await open(converted);
  try {
    const { difference } = await verifyModel(converted, (inputs) => session.run(inputs));
    expect(difference).toBeLessThan(1e-6);
    const [input = ''] = converted.inputs.keys();
    const [output = ''] = converted.outputs;
    const given = npy(join(folder, name, 'x.npy'));
    const x =
      converted.inputs.get(input)?.dtype === 'int32'
        ? { ...given, dtype: 'int32' as const, data: Int32Array.from(given.data) }
        : given;
    const y = await session.run({ [input]: x });
    expect(compare(y[output], npy(join(folder, name, 'y.npy')))).toBeLessThan(1e-5);
  } finally {
    await session.dispose();
    converted.dispose();
  }
});
