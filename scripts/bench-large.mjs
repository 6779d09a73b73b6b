/**
 * `npm run bench:large`: how long a large picture in colour takes, and how much memory. A detector is
 * trained for two steps, because what it finds does not matter here, with the network and the stride that
 * `gpn-cli new --detector` chooses for pictures of this size. Timed is the whole command: load the model,
 * decode the picture, find regions, write mask and map.
 *
 *   npm run bench:large -- [--width 4000] [--height 3000] [--stride 4] [--times 3]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Images, readModelInfo, stream } from '@gpn/runtime';
import { parse, stringify } from 'yaml';

const { values: options } = parseArgs({
  options: {
    width: { type: 'string', default: '4000' },
    height: { type: 'string', default: '3000' },
    stride: { type: 'string' },
    times: { type: 'string', default: '3' },
  },
});
const [width, height] = [Number(options.width), Number(options.height)];
const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
/** Says at the end how much memory the process had, in KiB. */
const PEAK =
  'data:text/javascript,process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS}`))';
const folder = mkdtempSync(join(tmpdir(), 'gpn-large-'));
const gpn = (...args) => {
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', PEAK, cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
  });
  if (status !== 0 && status !== 3) throw new Error(`gpn-cli ${args.join(' ')}: ${stderr}`);
  const peak = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024;
  return { seconds: (performance.now() - from) / 1000, peak, stdout };
};

/** A picture in colour, as rough as a photograph of gravel. */
async function picture(path, seed, width, height) {
  const random = stream(seed, 'large');
  const coarse = random.uniform(Math.ceil(width / 8) * Math.ceil(height / 8) * 3, 0.2, 0.8);
  const fine = random.uniform(4096, -0.2, 0.2);
  const across = Math.ceil(width / 8);
  const data = new Float32Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        data[at] = coarse[((y >> 3) * across + (x >> 3)) * 3 + c] + fine[(at * 31) % 4096];
      }
    }
  }
  const image = new Images(1, height, width, 3, [0, 1], data);
  writeFileSync(join(folder, path), await image.toPNG({ gap: 0 }));
}

try {
  mkdirSync(join(folder, 'normal'));
  for (let k = 0; k < 36; k++) await picture(`normal/${k}.png`, k, 64, 64);
  gpn('new', 'normal', '--detector', '-o', 'd.yml', '--steps', '2');
  const recipe = parse(readFileSync(join(folder, 'd.yml'), 'utf8'));
  recipe.model.fragment.stride = Number(options.stride ?? 4);
  writeFileSync(join(folder, 'd.yml'), stringify(recipe));
  gpn('train', 'd.yml', '--out', 'run', '--device', 'cpu');
  const model = join('run', 'discriminator.onnx');
  const { fragment } = readModelInfo(readFileSync(join(folder, model)));
  await picture('large.png', 1000, width, height);
  console.log(
    `${width} × ${height} in colour, fragments of ${fragment.internal} + 2 · ${fragment.frame} pixels, ${fragment.stride} apart`,
  );
  for (let k = 0; k < Number(options.times); k++) {
    const { seconds, peak } = gpn(
      ...['score', '--model', model, '--device', 'cpu', 'large.png'],
      ...['--mask', 'mask.png', '--map', 'map.png', '--threshold', '0.1', '--json'],
    );
    console.log(`${seconds.toFixed(1)} s, ${peak.toFixed(0)} MiB`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
