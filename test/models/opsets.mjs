/**
 * Whether files of every opset are right: exports models at opsets 13 to 20, and lets ONNX's own checker and
 * onnxruntime say what they think of them, in a Python that has both (opsets.py). By hand, after the build:
 *
 *   node test/models/opsets.mjs --peer venv/bin/python [MODEL.json …]
 *
 * Without models, those kept for the tests of the converter. An opset that a model's operators do not have is
 * left out, and named. Ends with 1 if a file is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { convertModel, ExportError, FIRST_OPSET } from '@gpn/export';

const HIGHEST = 20;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peer: { type: 'string', default: 'python3' } },
});
const kept = at('../../export/test/models');
const models =
  positionals.length > 0
    ? positionals
    : readdirSync(kept).map((name) => join(kept, name, 'model.json'));
const folder = at('../../scratch/opsets');
rmSync(folder, { recursive: true, force: true });

for (const [k, model] of models.entries()) {
  const own = join(folder, `${k}`);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'name'), dirname(model).split('/').at(-1));
  for (let opset = FIRST_OPSET; opset <= HIGHEST; opset++) {
    try {
      const converted = await convertModel(model, { opset });
      writeFileSync(join(own, `${opset}.onnx`), converted.model.toBytes());
      converted.dispose();
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      console.log(error.message);
      if (!/^Opset/.test(error.message)) break;
    }
  }
}
process.exitCode =
  spawnSync(values.peer, [at('opsets.py'), folder], { stdio: 'inherit' }).status ?? 1;
