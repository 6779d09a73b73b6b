/**
 * Trains the judge of a data set: the classifier by whose features generators are measured. Writes
 * judge-NAME.onnx and its card among the bundled models. Every figure says which file it was measured
 * with, so another judge begins another protocol: its hash goes into evaluation/judges.ts.
 *
 *   npm run judge -- mnist
 *   npm run judge -- fashion
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJudge, loadDataset, trainJudge } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

/** Clothes may be mirrored and are all centred; digits may not, and are less so. */
const COMMON = { batchSize: 64, learningRate: 2e-3, labelSmoothing: 0.1, seed: 0 };
const RECIPES = {
  mnist: { ...COMMON, steps: 6 * 937, shift: 2, flip: false },
  fashion: { ...COMMON, steps: 8 * 937, shift: 1, flip: true },
};

const [name] = process.argv.slice(2);
const recipe = RECIPES[name];
if (!recipe) {
  console.error(`usage: node scripts/train-judge.mjs ${Object.keys(RECIPES).join('|')}`);
  process.exit(2);
}
const size = { height: 28, width: 28, channels: 1 };
const train = await loadDataset(name, size);
const test = await loadDataset(name, { ...size, split: 'test' });

const begun = performance.now();
let sum = 0;
const state = await trainJudge(train, recipe, {
  device: 'cpu',
  on({ step, steps, loss }) {
    sum += loss;
    if (step % 200 !== 0) return;
    const seconds = (performance.now() - begun) / 1000;
    console.log(
      `step ${step} of ${steps}, loss ${(sum / 200).toFixed(4)}, ${seconds.toFixed(0)} s`,
    );
    sum = 0;
  },
});
const minutes = ((performance.now() - begun) / 60_000).toFixed(0);
const { bytes, info, accuracy } = await exportJudge(state, recipe, { train, test });
const sha256 = createHash('sha256').update(bytes).digest('hex');

const folder = fileURLToPath(new URL('../models/pretrained/', import.meta.url));
const versions = Object.entries(info.training.versions).map(([k, v]) => `${k} ${v}`);
const percent = (share) => `${(100 * share).toFixed(2)} %`;
await writeFileAtomic(join(folder, `judge-${name}.onnx`), bytes);
await writeFileAtomic(
  join(folder, `judge-${name}.md`),
  `# judge-${name}

No generator: the classifier that \`gpn-cli eval --data ${name}\` measures generators with. It takes
28 × 28 grey images with values from 0 to 1 and gives, for each, 128 \`features\` (of its last layer
but one, before the dropout) and a logit for each class.

| what | value |
| --- | --- |
| accuracy on the ${test.count.toLocaleString('en')} test images | ${percent(accuracy)} |
| SHA-256 of the file | ${sha256} |
| made by | \`node scripts/train-judge.mjs ${name}\` |
| seed | ${recipe.seed} |
| trained for | ${recipe.steps.toLocaleString('en')} steps of ${recipe.batchSize} images, ${recipe.steps / 937} epochs |
| images seen | moved by up to ${recipe.shift} ${recipe.shift === 1 ? 'pixel' : 'pixels'} each way${recipe.flip ? ', half of them mirrored' : ''} |
| time | ${minutes} minutes |
| data | ${train.name}, training set, hash ${train.hash} |
| classes | ${train.classes.join(', ')} |
| software | ${versions.join(', ')} |

The file is pinned: a scorecard names its hash, and figures of another judge cannot be compared with
its own.
`,
);
console.log(`judge-${name}: accuracy ${percent(accuracy)}, SHA-256 ${sha256}`);
