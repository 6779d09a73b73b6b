/** The page "Convert" of `npm run demo`: its text, and its scripts with the tracer and TensorFlow.js. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledFiles } from '../browser/bundle.mjs';
import { styled } from './style.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const tfjsWasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
const WASM = 'tfjs-backend-wasm-simd.wasm';

/** The files of the page, in the folder `convert/`. */
async function files() {
  const external = ['../gpn/*'];
  return [
    ...(await bundledFiles(here('convert'), [here('convert-worker.js')], { external })),
    { path: 'convert/page.js', bytes: readFileSync(here('convert-page.js')) },
    { path: 'convert/style.css', bytes: styled(here('convert.css')) },
    { path: `convert/${WASM}`, bytes: readFileSync(join(tfjsWasm, WASM)) },
  ];
}

const opsets = Array.from({ length: 12 }, (_, i) => `<option>${13 + i}</option>`).join('');

const MAIN = `<section class="convert">
      <p class="lead">Turns a TensorFlow.js model into an ONNX file, and compares the two before you get it. Nothing is uploaded.</p>
      <div class="drop">
        <p>Drop a <code>model.json</code> and its weight files here, or their folder.</p>
        <label class="choose">Choose files<input type="file" multiple></label>
        <label class="choose">Choose a folder<input type="file" webkitdirectory></label>
      </div>
      <p id="status" role="status"></p>
      <p id="alert" role="alert" hidden></p>
      <section id="model" hidden>
        <h2 id="name"></h2>
        <p id="kind" class="lead"></p>
        <div class="ends">
          <div><h3>Inputs</h3><dl id="inputs"></dl></div>
          <div><h3>Outputs</h3><dl id="outputs"></dl></div>
        </div>
      </section>
      <form id="options" hidden>
        <div class="fields" id="sizes"></div>
        <p id="sizes-hint" class="hint" hidden>Write a size in place of each ?, or a capital letter where any size will do (<code>--input-shape</code>).</p>
        <details>
          <summary>Options, as of the command</summary>
          <div class="fields">
            <label><code>--outputs</code><input id="chosen" spellcheck="false"></label>
            <label><code>--fix</code><input id="fix" placeholder="keep_prob=1" spellcheck="false"></label>
            <label><code>--opset</code><select id="opset"><option value="">lowest possible</option>${opsets}</select></label>
            <label><code>--random</code><select id="random"><option value="">refuse</option><option>input</option><option>operator</option></select></label>
            <label><code>--float16</code><input id="float16" type="checkbox"></label>
          </div>
        </details>
        <button>Convert</button>
      </form>
      <section id="done" hidden>
        <p id="difference"></p>
        <div id="notes" class="hint"></div>
        <a id="download" class="button" download="model.onnx">Download</a>
      </section>
    </section>`;

/** The page as `export-web` takes others into its site. */
export const convertPage = async () => ({
  path: 'convert.html',
  name: 'Convert',
  head: '<link rel="stylesheet" href="convert/style.css">\n    <script type="module" src="convert/page.js"></script>',
  main: MAIN,
  files: await files(),
});
