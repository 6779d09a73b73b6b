/**
 * Whether NVIDIA's client infers every bundled model by `gpn-cli serve` to the bits of the runtime:
 *
 *     python3 -m venv venv && venv/bin/pip install tritonclient[http]
 *     node test/peers/tritonclient.mjs venv/bin/python
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pretrainedModels } from '@gpn/models/pretrained';
import { openSession, product, readModelInfo, readSource, stream } from '@gpn/runtime';

const [python = 'python3'] = process.argv.slice(2);
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gpn-triton-'));
const ROWS = 3;

/** Inputs of a model and what the runtime makes of them, as files of float32. */
async function reference({ name }) {
  const { bytes } = await readSource(name);
  const { image } = readModelInfo(bytes);
  const sides = [ROWS, image.height + 3, image.width + 5]; // free sides: any will do
  const session = await openSession(bytes, { device: 'cpu' });
  const feeds = session.inputs.map(({ name: input, shape }) => {
    const sizes = shape.map((size, axis) => (typeof size === 'string' ? sides[axis] : size));
    const data = stream(1, name, input).normal(product(sizes));
    return [input, { dtype: 'float32', shape: sizes, data }];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.dispose();
  const file = (tensor, { shape, data }) => {
    const path = join(folder, `${name}.${tensor}.bin`);
    writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name: tensor, shape, path };
  };
  return {
    name,
    inputs: feeds.map(([input, tensor]) => file(input, tensor)),
    outputs: Object.entries(results).map(([output, tensor]) => file(output, tensor)),
  };
}

let server;
try {
  const models = pretrainedModels();
  const list = join(folder, 'models.json');
  const references = [];
  for (const model of models) references.push(await reference(model));
  writeFileSync(list, JSON.stringify(references));
  const args = [at('../../cli/bin/gpn-cli.js'), 'serve', ...models.map(({ name }) => name)];
  server = spawn(process.execPath, [...args, '--device', 'cpu', '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(server.stdout, 'data');
  const { host } = new URL(JSON.parse(String(line)).url);
  const { status } = spawnSync(python, [at('tritonclient_infer.py'), host, list], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  server?.kill();
  rmSync(folder, { recursive: true });
}
