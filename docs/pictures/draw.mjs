// Makes drawn.png of six bundled models: node docs/pictures/draw.mjs, after npm run build.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const PANELS = [
  ['cdcgan-mnist', 'asked for 0 to 9', '--label', 'all', '--count', '10'],
  ['cdcgan-fashion', 'asked for each class', '--label', 'all', '--count', '10'],
  ['infogan-mnist-thickness', 'a code: thickness', '--code', '0=-1:1:10'],
  ['wgan-gp-mnist', 'gradient penalty', '--count', '100'],
  ['began-mnist', 'autoencoder as discriminator', '--count', '100'],
  ['gpn-mnist-large', 'fragments, in rounds', '--count', '100'],
];
const [side, label, gap, columns] = [300, 44, 24, 3];
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const title = (name, what) =>
  Buffer.from(`<svg width="${side}" height="${label}" font-family="DejaVu Sans">
    <text y="17" font-size="16" font-weight="bold" fill="#1b1f24">${name}</text>
    <text y="36" font-size="13" fill="#59636e">${what}</text></svg>`);

const layers = PANELS.map(async ([name, what, ...options], k) => {
  const args = ['sample', '--model', name, '--seed', '7', ...options, '--out', '-'];
  const png = execFileSync(process.execPath, [at('../../cli/bin/gpn-cli.js'), ...args]);
  const left = gap + (k % columns) * (side + gap);
  const top = gap + Math.floor(k / columns) * (side + label + gap);
  const input = await sharp(png).resize(side, side, { fit: 'fill' }).toBuffer();
  return [
    { input: title(name, what), left, top },
    { input, left, top: top + label },
  ];
});
const width = gap + columns * (side + gap);
const height = gap + Math.ceil(PANELS.length / columns) * (side + label + gap);
await sharp({ create: { width, height, channels: 3, background: '#fff' } })
  .composite((await Promise.all(layers)).flat())
  .toColourspace('b-w')
  .png({ compressionLevel: 9, palette: true, colours: 16, dither: 0 })
  .toFile(at('drawn.png'));
