/** `npm run demo`, after the build: a page with the bundled models, or with the models of `npm start`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pretrainedModels } from '@gpn/models/pretrained';
import { readModelInfo } from '@gpn/runtime';

const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
const paged = (name) => `runs/demo-models/${name}.onnx`;
const started = ['generator', 'discriminator'].map((name) => `runs/start/${name}.onnx`);
// A page cannot show extractors of features, which are for `gpn-cli eval`. Those of colour come first.
const bundled = pretrainedModels()
  .map(({ name, path }) => ({ ...readModelInfo(readFileSync(path)), name }))
  .filter(({ kind }) => kind !== 'features')
  .sort((a, b) => b.image.channels - a.image.channels)
  .map(({ name }) => name)
  .map((name) => (existsSync(paged(name)) ? paged(name) : name));
const models = bundled.length > 0 ? bundled : started.filter((path) => existsSync(path));
if (models.length === 0) {
  console.error('There are no models to show: run `npm start` first.');
  process.exit(2);
}
// Ctrl-C reaches the command too; wait for its end.
process.on('SIGINT', () => {});
const args = ['export-web', ...models, '-o', 'runs/demo', '--serve', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit' });
process.exit(status ?? 0);
