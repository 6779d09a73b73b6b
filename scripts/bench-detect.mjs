/**
 * How well detectors find what does not belong into pictures:
 *
 *   npm run bench:detect -- MODEL.onnx … [--count 500] [--side 8] [--picture found.png]
 *
 * Test images of MNIST, of which the first 2,000 are left out because detectors are calibrated with them,
 * are tampered with from fixed seeds: a square of so many pixels a side is pasted from another image
 * (mismatch), moved within the image (copy), blurred, scaled, made noisy, recoloured or compressed. One
 * that changes less than a tenth of its pixels by a sixteenth of the range is drawn anew. For each kind:
 * the AUROC and AUPRO of pixels by the detector's map, beside the AUROC by the worst fragment and by the
 * mean alone; the AUROC of tampered pictures against untouched ones; and, if the detector is calibrated,
 * the share of tampered and of untouched pictures with p ≤ 0.01. `patch` is `mismatch` at 6 × 6 pixels.
 */
import { parseArgs } from 'node:util';
import {
  Discriminator,
  detectionOf,
  Images,
  stream,
  suspicionMap,
  suspicionOf,
} from '@gpn/runtime';
import { ALTERATIONS, aupro, auroc, loadDataset, pixelAuroc, shareInterval } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

const SIDE = 28;
const SIZE = SIDE ** 2;
/** Test images that detectors are calibrated with. */
const CALIBRATED = 2000;
const KINDS = {
  blur: 'gaussian',
  'copy-move': 'copy',
  splice: 'mismatch',
  noise: 'grain',
  resample: 'resample',
};

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '500' },
    side: { type: 'string', default: '8' },
    picture: { type: 'string' },
  },
});
if (files.length === 0) {
  console.error('usage: npm run bench:detect -- MODEL.onnx …');
  process.exit(2);
}
const count = Number(options.count);
const { images } = await loadDataset('mnist', {
  height: SIDE,
  width: SIDE,
  channels: 1,
  split: 'test',
});
const total = images.length / SIZE;
const viewOf = (index) => ({
  ...{ height: SIDE, width: SIDE, channels: 1, inverse: false },
  pixels: images.subarray(index * SIZE, (index + 1) * SIZE),
});

/** Images with a tampered square each, and which pixels are the square's. */
function tamper(kind, side) {
  const random = stream(0, 'tampered', kind, side);
  const order = random.permutation(total - CALIBRATED).subarray(0, count);
  return Array.from(order, (k) => {
    const image = viewOf(k + CALIBRATED);
    for (;;) {
      const [row, column] = random.below(2, SIDE - side + 1);
      const other = () => viewOf(random.below(1, total)[0]);
      const part = ALTERATIONS[kind]({ image, other, row, column, internal: side, random });
      const pixels = image.pixels.slice();
      const mask = new Uint8Array(SIZE);
      let changed = 0;
      for (let i = 0; i < side ** 2; i++) {
        const at = (row + Math.floor(i / side)) * SIDE + column + (i % side);
        mask[at] = 1;
        const before = pixels[at];
        pixels[at] = Math.round(256 * part[i]);
        if (Math.abs(pixels[at] - before) >= 16) changed++;
      }
      if (changed >= side ** 2 / 10) return { pixels, mask, original: image.pixels };
    }
  });
}

/** The worst suspicion, or the mean one, of the fragments that hold each pixel. */
function simply(map, { internal }, combine) {
  return Float32Array.from({ length: SIZE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    const own = [];
    for (let r = Math.max(0, y - internal + 1); r <= Math.min(y, map.rows - 1); r++) {
      for (let c = Math.max(0, x - internal + 1); c <= Math.min(x, map.columns - 1); c++) {
        own.push(suspicionOf(map.meaning, map.values[r * map.columns + c]));
      }
    }
    return combine(own);
  });
}
const RULES = {
  worst: (values) => Math.max(...values),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
};
const most = (values) => values.reduce((a, b) => Math.max(a, b));
const percent = (shares) => {
  const found = shares.reduce((a, b) => a + b, 0);
  const [low, high] = shareInterval(shares);
  return `${((100 * found) / shares.length).toFixed(1)} (${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)})`;
};

const shown = [];
for (const file of files) {
  const detector = await Discriminator.load(file, { device: 'cpu', threads: 1 });
  const { info } = detector;
  console.log(
    `\n${info.name}, ${info.fragment.internal} + 2 · ${info.fragment.frame} pixels, ${count} images of each kind\n`,
  );
  console.log(
    '| kind | pixels | pixels, worst | pixels, mean | AUPRO | pictures | found % | false alarms % |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  const kinds = [
    ['patch', 'mismatch', 6],
    ...Object.entries(KINDS).map(([name, kind]) => [name, kind, Number(options.side)]),
  ];
  for (const [name, kind, side] of kinds) {
    const picture = (data) => ({ width: SIDE, height: SIDE, data });
    const rows = [];
    for (const { pixels, mask, original } of tamper(kind, side)) {
      const map = await detector.scoreMap(picture(pixels));
      const clean = await detector.scoreMap(picture(original));
      const scores = suspicionMap(map, picture(pixels), info.fragment.frame);
      const untouched = suspicionMap(clean, picture(original), info.fragment.frame);
      const verdict = (of) =>
        info.calibration ? Number(detectionOf(info, of, picture(pixels), 0.01).p <= 0.01) : 0;
      if (name === 'patch' && file === files[0] && shown.length < 16)
        shown.push({ pixels, scores });
      rows.push({
        ...{ mask, scores, clean: most(untouched), found: verdict(map), alarm: verdict(clean) },
        worst: simply(map, info.fragment, RULES.worst),
        mean: simply(map, info.fragment, RULES.mean),
      });
    }
    const masks = (of) => rows.map((row) => ({ width: SIDE, mask: row.mask, scores: row[of] }));
    const pictures = auroc(
      [...rows.map(({ scores }) => most(scores)), ...rows.map(({ clean }) => clean)],
      rows.flatMap(() => [1]).concat(rows.map(() => 0)),
    );
    const areas = [
      ...['scores', 'worst', 'mean'].map((of) => pixelAuroc(masks(of))),
      aupro(masks('scores')),
      pictures,
    ].map((area) => area.toFixed(4));
    const verdicts = info.calibration
      ? [percent(rows.map(({ found }) => found)), percent(rows.map(({ alarm }) => alarm))]
      : ['', ''];
    console.log(
      `| ${[name === 'patch' ? 'patch' : `${name}, ${side}`, ...areas, ...verdicts].join(' | ')} |`,
    );
  }
  await detector.dispose();
}
if (options.picture) {
  const sigmoid = (value) => 1 / (1 + Math.exp(-value));
  const rows = [
    ...shown.map(({ pixels }) => Float32Array.from(pixels, (value) => value / 255)),
    ...shown.map(({ scores }) => scores.map(sigmoid)),
  ];
  const data = Float32Array.from(rows.flatMap((row) => [...row]));
  const sheet = new Images(rows.length, SIDE, SIDE, 1, [0, 1], data);
  await writeFileAtomic(options.picture, await sheet.toPNG({ columns: shown.length }));
}
