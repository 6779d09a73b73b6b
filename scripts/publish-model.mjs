/**
 * Puts a finished run among the bundled models: exports both networks, draws the grid and writes
 * the model card from what the run and the files say of themselves.
 *
 *   node scripts/publish-model.mjs RUN "train dcgan-mnist --seed 0 --device cpu" "64 minutes on 2 cores"
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Generator } from '@gpn/runtime';
import { exportRun } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { parse } from 'yaml';

const [run, command, time] = process.argv.slice(2);
if (!run || !command || !time) {
  console.error('usage: node scripts/publish-model.mjs RUN "COMMAND" "TIME"');
  process.exit(2);
}

const folder = fileURLToPath(new URL('../models/pretrained/', import.meta.url));
mkdirSync(folder, { recursive: true });
const name = parse(readFileSync(join(run, 'recipe.yml'), 'utf8')).name;
const { info } = await exportRun(run, {
  network: 'generator',
  out: join(folder, `${name}.onnx`),
});
await exportRun(run, { network: 'discriminator', out: join(folder, `${name}-discriminator.onnx`) });

const generator = await Generator.load(join(folder, `${name}.onnx`), { device: 'cpu' });
const images = await generator.sample({ count: 100, seed: 0 });
await writeFileAtomic(join(folder, `${name}.png`), await images.toPNG());
await generator.dispose();

const { training, latent, image } = info;
const versions = Object.entries(training.versions).map(([k, v]) => `${k} ${v}`);
await writeFileAtomic(
  join(folder, `${name}.md`),
  `# ${name}

![100 images drawn with seed 0](${name}.png)

| what | value |
| --- | --- |
| files | \`${name}.onnx\` (generator), \`${name}-discriminator.onnx\` |
| made by | \`npx gpn-cli ${command}\` |
| seed | ${training.seed} |
| trained for | ${training.steps.toLocaleString('en')} steps, ${Math.round(training.epochs * 100) / 100} epochs |
| time | ${time} |
| data | ${training.dataset.name}, hash ${training.dataset.hash} |
| recipe hash | ${training.recipe} |
| software | ${versions.join(', ')} |
| latents | ${latent.size}, ${latent.distribution === 'uniform' ? 'uniform on (−1, 1)' : 'standard normal'} |
| images | ${image.height} × ${image.width} × ${image.channels}, values ${image.range.join(' to ')} |

The grid is \`gpn-cli sample --model ${name}.onnx --count 100 --seed 0\`, nothing picked out. The
same command on the same machine with as many threads makes the same files; on another, its
arithmetic rounds otherwise and a training takes another path to images of the same kind.
`,
);
console.log(`${join(folder, name)}.onnx, -discriminator.onnx, .png, .md`);
