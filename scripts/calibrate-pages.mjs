/**
 * `npm run demo:calibrate`: calibrates the bundled detectors for the pages that the demo shows, of 24
 * digits each, and writes them into runs/demo-models. Those of the package are calibrated for single
 * digits: a page has something rare more often.
 *
 * [--pages 299] pages are drawn as the demo draws its own, from other seeds. [--check 100] as many more
 * are then searched, untouched and forged as in the demo; printed is in how many something is found, and
 * how many of the forged squares.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pretrainedModels } from '@gpn/models/pretrained';
import { Discriminator, Generator, readModelInfo, withModelInfo } from '@gpn/runtime';
import { calibrate, shareInterval } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { decode } from '@gpn/training/pictures';
import { drawnFor, examplePage, forgedSquares } from '../cli/dist/web/pictures.js';

const FOLDER = 'runs/demo-models';
const { values: options } = parseArgs({
  options: {
    pages: { type: 'string', default: '299' },
    check: { type: 'string', default: '100' },
  },
});
const [pages, checked] = [Number(options.pages), Number(options.check)];
/** The demo's own page has the seed 3. */
const SEED = 1000;

const models = pretrainedModels().map(({ name, path }) => {
  const bytes = readFileSync(path);
  return { file: `${name}.onnx`, bytes, info: readModelInfo(bytes) };
});
const generators = models.filter(({ info }) => info.kind === 'generator');
for (const model of models.filter(({ info }) => info.calibration?.worst)) {
  const drawer = drawnFor(model, generators);
  if (!drawer) continue;
  const generator = await Generator.load(drawer.bytes, { device: 'cpu', threads: 1 });
  const bare = await Discriminator.load(model.bytes, { device: 'cpu', threads: 1 });
  const page = async (seed, forged) =>
    (await decode(await examplePage(generator, seed, forged ? model.info : undefined))).picture;
  const calibration = await calibrate(bare, {
    name: `pages of 24 images of ${drawer.info.name}`,
    count: pages,
    at: async (k) => ({ picture: await page(SEED + k, false), label: `page ${k}` }),
  });
  await bare.dispose();
  const bytes = withModelInfo(model.bytes, { ...model.info, calibration });
  mkdirSync(FOLDER, { recursive: true });
  await writeFileAtomic(`${FOLDER}/${model.file}`, bytes);
  console.log(`Wrote ${FOLDER}/${model.file}, calibrated with ${pages} ${calibration.data.name}.`);
  if (checked > 0) await check(bytes, generator, page);
  await generator.dispose();
}

/** Says how often something is found in untouched pages, in forged ones, and in their squares. */
async function check(bytes, generator, page) {
  const detector = await Discriminator.load(bytes, { device: 'cpu', threads: 1 });
  const found = { untouched: [], forged: [], squares: [] };
  for (let k = 0; k < checked; k++) {
    const seed = SEED + pages + k;
    const clean = await detector.detect(await page(seed, false), { threshold: 0.01 });
    found.untouched.push(Number(clean.p <= 0.01));
    const { p, mask, width } = await detector.detect(await page(seed, true), { threshold: 0.01 });
    found.forged.push(Number(p <= 0.01));
    const squares = forgedSquares(generator.info, detector.info);
    const hits = (square) => {
      for (let y = square.y; y < square.y + square.height; y++) {
        for (let x = square.x; x < square.x + square.width; x++) if (mask[y * width + x]) return 1;
      }
      return 0;
    };
    found.squares.push(...squares.map(hits));
  }
  for (const [what, shares] of Object.entries(found)) {
    if (shares.length === 0) continue;
    const [low, high] = shareInterval(shares).map((share) => (100 * share).toFixed(1));
    const share = (100 * shares.reduce((a, b) => a + b, 0)) / shares.length;
    console.log(
      `p ≤ 0.01 in ${share.toFixed(1)} % (${low} – ${high}) of ${shares.length}: ${what}`,
    );
  }
  await detector.dispose();
}
