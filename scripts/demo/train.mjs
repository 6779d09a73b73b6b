/** The page "Train" of `npm run demo`: its text, its scripts, its training steps and some digits. */
import { fileURLToPath } from 'node:url';
import { loadDataset, resolveRecipe } from '@gpn/training';
import sharp from 'sharp';
import { stepFile } from '../../training/dist/export/step.js';
import { bundledFiles } from '../browser/bundle.mjs';
import { styled } from './style.mjs';

const here = (name) => fileURLToPath(new URL(`train/${name}`, import.meta.url));
const FOLDER = fileURLToPath(new URL('train', import.meta.url));
const SETS = ['digits', 'drawings', 'pictures'];
/** Digits to learn from, in rows. */
const [ACROSS, DOWN] = [100, 60];
const SIDE = 28;

async function digits() {
  const { images } = await loadDataset('mnist', { height: SIDE, width: SIDE, channels: 1 });
  const sheet = new Uint8Array(ACROSS * DOWN * SIDE * SIDE);
  for (let k = 0; k < ACROSS * DOWN; k++) {
    const [x, y] = [(k % ACROSS) * SIDE, Math.floor(k / ACROSS) * SIDE];
    for (let row = 0; row < SIDE; row++) {
      const from = (k * SIDE + row) * SIDE;
      sheet.set(images.subarray(from, from + SIDE), (y + row) * ACROSS * SIDE + x);
    }
  }
  return sharp(sheet, { raw: { width: ACROSS * SIDE, height: DOWN * SIDE, channels: 1 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** The files of the page, in the folder `train/`. */
async function trainFiles() {
  return [
    ...(await bundledFiles(FOLDER, { page: here('page.js'), worker: '@gpn/runtime/worker' })),
    ...SETS.map((name) => ({
      path: `train/${name}.onnx`,
      bytes: stepFile(resolveRecipe(here(`${name}.yml`))),
    })),
    { path: 'train/digits.png', bytes: await digits() },
    { path: 'train/style.css', bytes: styled(here('style.css')) },
  ];
}

const MAIN = `<section class="train">
      <p class="lead">Two networks learn against each other, in this tab: one draws, the other tells its drawings from real pictures. Nothing is uploaded.</p>
      <div class="sets" role="group" aria-label="What to learn from">
        <button data-set="digits" aria-pressed="true">Digits</button>
        <button data-set="drawings" aria-pressed="false">Your drawings</button>
        <button data-set="pictures" aria-pressed="false">Your pictures</button>
      </div>
      <section id="drawings" hidden>
        <canvas id="pad" width="280" height="280" aria-label="Draw here"></canvas>
        <div>
          <p>Draw the same thing a dozen times, a little differently each time.</p>
          <p><button id="add">Add</button> <button id="clear" class="quiet">Clear</button> <span id="count" role="status"></span></p>
          <div id="drawn" aria-label="Your drawings; press one to remove it"></div>
        </div>
      </section>
      <section id="pictures" hidden>
        <div class="drop">
          <p>Fifty pictures of one kind at least, such as faces, flowers or icons. They become 32 × 32 pixels.</p>
          <label class="choose">Choose a folder<input type="file" webkitdirectory></label>
          <label class="choose">Choose files<input type="file" accept="image/*" multiple></label>
        </div>
      </section>
      <gpn-trainer step="train/digits.onnx" data="train/digits.png" keep="digits" assets="ort" worker="train/worker.js"></gpn-trainer>
      <details>
        <summary>What to look for</summary>
        <p>At first the generator draws noise, because nothing has told it otherwise. The discriminator learns to tell, and passes on what gave each drawing away; strokes appear, then shapes. Neither loss goes to 0: when one network gets better, the other has a harder task. A loss of the discriminator near 0 means that it always knows, and that the generator learns little.</p>
        <p>The browser keeps the training every hundred steps, so that it goes on after a reload.</p>
      </details>
    </section>`;

/** The page as `export-web` takes others into its site. */
export const trainPage = async () => ({
  path: 'train.html',
  name: 'Train',
  head: '<link rel="stylesheet" href="train/style.css">\n    <script type="module" src="train/page.js"></script>\n    <script type="module" src="page.js"></script>',
  main: MAIN,
  files: await trainFiles(),
});
