/**
 * `npm run demo`, after the build: a site with the bundled models, or with the models of `npm start`,
 * a page that trains, and one that converts TensorFlow.js models. Takes names of models, --output, --port and --webgpu.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pretrainedModels } from '@gpn/models/pretrained';
import { readModelInfo } from '@gpn/runtime';
import { run } from '../cli/dist/commands/export-web.js';
import { EXPORT_WEB } from '../cli/dist/options/export-web.js';
import { convertPage } from './demo/convert.mjs';
import { trainPage } from './demo/train.mjs';

const paged = (name) => `runs/demo-models/${name}.onnx`;
const started = ['generator', 'discriminator'].map((name) => `runs/start/${name}.onnx`);
// A page cannot show extractors of features, which are for `gpn-cli eval`. Those of colour come first.
const bundled = pretrainedModels()
  .map(({ name, path }) => ({ ...readModelInfo(readFileSync(path)), name }))
  .filter(({ kind }) => kind !== 'features')
  .sort((a, b) => b.image.channels - a.image.channels)
  .map(({ name }) => name)
  .map((name) => (existsSync(paged(name)) ? paged(name) : name));
const { values, positionals } = parseArgs({
  options: {
    output: { type: 'string', default: 'runs/demo' },
    title: { type: 'string', default: EXPORT_WEB.options.title.option.defaultValue },
    webgpu: { type: 'boolean', default: false },
    port: { type: 'string' },
  },
  allowPositionals: true,
});
const [models = []] = [positionals, bundled, started.filter((path) => existsSync(path))].filter(
  ({ length }) => length > 0,
);
if (models.length === 0) {
  console.error('There are no models to show: run `npm start` first.');
  process.exit(2);
}
try {
  const serve = values.port ? Number(values.port) : true;
  await run(models, { ...values, serve }, [await trainPage(), await convertPage()]);
} catch (error) {
  if (error.name !== 'UserError') throw error;
  console.error(error.message);
  process.exit(2);
}
