/**
 * Puts a finished run among the bundled models: exports both networks, draws the grid, measures how
 * good it is and writes the model card from what the run and the files say of themselves.
 *
 *   node scripts/publish-model.mjs RUN "train dcgan-mnist --device cpu --threads 2" "22 minutes on 2 cores"
 *
 * Further arguments go to gpn-cli eval: --train-classifier, or --features JUDGE, without which networks of
 * a folder of one's own are not measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Generator } from '@gpn/runtime';
import { exportRun, parseEvaluation, scorecardMarkdown } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { parse } from 'yaml';

const [run, command, time, ...more] = process.argv.slice(2);
if (!run || !command || !time) {
  console.error('usage: node scripts/publish-model.mjs RUN "COMMAND" "TIME" [OPTION OF EVAL]…');
  process.exit(2);
}

const folder = fileURLToPath(new URL('../models/pretrained/', import.meta.url));
mkdirSync(folder, { recursive: true });
const recipe = parse(readFileSync(join(run, 'recipe.yml'), 'utf8'));
const { name } = recipe;
const [file, judge] = [`${name}.onnx`, `${name}-discriminator.onnx`];
const { info } = await exportRun(run, { network: 'generator', out: join(folder, file) });
await exportRun(run, { network: 'discriminator', out: join(folder, judge) });

const generator = await Generator.load(join(folder, file), { device: 'cpu' });
const images = await generator.sample({ count: 100, seed: 0 });
await writeFileAtomic(join(folder, `${name}.png`), await images.toPNG());
await generator.dispose();

const { training, latent, image, condition, codes } = info;
const scored = ['mnist', 'fashion'].includes(recipe.data.dataset) || more.includes('--features');
const scorecard = scored ? scorecardMarkdown(evaluated(join(folder, file))) : undefined;

const rows = {
  files: `\`${file}\` (generator), \`${judge}\`, weights as float32`,
  'made by': `\`npx gpn-cli ${command}\``,
  seed: training.seed,
  'trained for': `${training.steps.toLocaleString('en')} steps, ${Math.round(training.epochs * 100) / 100} epochs`,
  time,
  data: `${training.dataset.name}, hash ${training.dataset.hash}`,
  'recipe hash': training.recipe,
  software: Object.entries(training.versions)
    .map(([k, v]) => `${k} ${v}`)
    .join(', '),
  latents: `${latent.size}, ${latent.distribution === 'uniform' ? 'uniform on (−1, 1)' : 'standard normal'}`,
  ...(condition && { [condition.input]: `${condition.classes}, one-hot` }),
  ...(codes && { codes: `${codes.size}, from ${codes.range.join(' to ')}` }),
  images: `${image.height} × ${image.width} × ${image.channels}, values ${image.range.join(' to ')}`,
};
const table = Object.entries(rows).map(([what, value]) => `| ${what} | ${value} |`);
const grid = condition ? ', a class in each column' : '';

await writeFileAtomic(
  join(folder, `${name}.md`),
  `${[
    `# ${name}`,
    recipe.description,
    `![100 images drawn with seed 0](${name}.png)`,
    ['| what | value |', '| --- | --- |', ...table].join('\n'),
    `The grid is 100 images of seed 0${grid}, not selected. The command above trains the same
networks, to the bit, with this version of gpn on the same machine; elsewhere arithmetic may round
differently, and training then takes another path to similar images.`,
    ...(scorecard ? ['## Scorecard', scorecard] : []),
  ].join('\n\n')}\n`,
);
console.log(`${join(folder, name)}.onnx, -discriminator.onnx, .png, .md`);

/** Measures a generator and puts the scores into its file. */
function evaluated(path) {
  const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
  const { dataset, classes } = recipe.data;
  const args = [
    ...[cli, 'eval', '--model', path, '--data', dataset, '--write', '--json', ...more],
    ...(classes ? ['--classes', classes.join()] : []),
    ...(recipe.training.method === 'infogan' ? ['--categories', join(folder, judge)] : []),
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gpn-cli eval failed: ${stderr}`);
  return parseEvaluation(stdout, name);
}
