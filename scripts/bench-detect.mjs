/**
 * How well detectors find what does not belong into pictures:
 *
 *   npm run bench:detect -- MODEL.onnx … [--count 500] [--side 8,16] [--picture found.png]
 *                                        [--data textures/test] [--size 64] [--by-detail]
 *
 * Test images of MNIST, of which the first 2,000 are left out because detectors are calibrated with them, or
 * with --data squares of --size pixels of a folder's pictures that detectors have not seen, are tampered with
 * from fixed seeds: a square of --side pixels is pasted from another image (mismatch), moved within the image
 * (copy), blurred, scaled or made noisy; of several sides, each in turn. One that changes less than a tenth of its pixels by a sixteenth of the range is drawn anew. For each kind:
 * the AUROC and AUPRO of pixels by the detector's map, beside the AUROC by the worst fragment and by the
 * mean alone; the AUROC of tampered pictures against untouched ones; and, if the detector is calibrated
 * with enough pictures, the share of tampered and of untouched pictures with p ≤ 0.01. `patch` is `mismatch` at 6 × 6 pixels. With
 * --by-detail also the AUROC of pixels in each third of the pictures, by how much detail was in the place
 * that was tampered with: the root mean square of the differences of grey levels from their neighbours' mean.
 */
import { parseArgs } from 'node:util';
import {
  Discriminator,
  detectionOf,
  Images,
  readModelInfo,
  readSource,
  stream,
  suspicionMap,
  suspicionOf,
} from '@gpn/runtime';
import { ALTERATIONS, aupro, auroc, loadDataset, pixelAuroc, shareInterval } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

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
    data: { type: 'string' },
    size: { type: 'string', default: '64' },
    'by-detail': { type: 'boolean', default: false },
  },
});
if (files.length === 0) {
  console.error('usage: npm run bench:detect -- MODEL.onnx …');
  process.exit(2);
}
const count = Number(options.count);
/** Test images that detectors are calibrated with, and the side of an image. */
const [CALIBRATED, SIDE] = options.data ? [0, Number(options.size)] : [2000, 28];
const SIZE = SIDE ** 2;
/** Squares that are cut out of each picture of a folder. */
const CROPS = 16;
const first = readModelInfo((await readSource(files[0])).bytes);
const { channels } = first.image;
const { images } = await loadDataset(options.data ?? 'mnist', {
  ...{ height: SIDE, width: SIDE, channels },
  ...(options.data ? { crops: CROPS } : { split: 'test' }),
});
const total = images.length / (SIZE * channels);
const viewOf = (index) => ({
  ...{ height: SIDE, width: SIDE, channels, inverse: false },
  pixels: images.subarray(index * SIZE * channels, (index + 1) * SIZE * channels),
});

/** Images with a tampered square each, and which pixels are the square's. */
function tamper(kind, side) {
  const random = stream(0, 'tampered', kind, side);
  const tampered = [];
  for (const k of random.permutation(total - CALIBRATED)) {
    if (tampered.length === count) break;
    const found = tamperOne(viewOf(k + CALIBRATED), kind, side, random);
    if (found) tampered.push(found);
  }
  return tampered;
}

const [sides, byDetail] = [options.side.split(',').map(Number), options['by-detail']];

/** Squares that are tried in an image: where nothing is to be seen, as in a sky, another image is taken. */
const TRIES = 50;

function tamperOne(image, kind, side, random) {
  for (let tried = 0; tried < TRIES; tried++) {
    const [row, column] = random.below(2, SIDE - side + 1);
    const other = () => viewOf(random.below(1, total)[0]);
    const part = ALTERATIONS[kind]({ image, other, row, column, internal: side, random });
    const pixels = image.pixels.slice();
    const mask = new Uint8Array(SIZE);
    let changed = 0;
    for (let i = 0; i < side ** 2; i++) {
      const at = (row + Math.floor(i / side)) * SIDE + column + (i % side);
      mask[at] = 1;
      let most = 0;
      for (let c = 0; c < channels; c++) {
        const before = pixels[at * channels + c];
        const after = Math.min(255, Math.round(256 * part[i * channels + c]));
        pixels[at * channels + c] = after;
        most = Math.max(most, Math.abs(after - before));
      }
      if (most >= 16) changed++;
    }
    if (changed < side ** 2 / 10) continue;
    const detail = detailOf(image.pixels, row, column, side);
    return { pixels, mask, original: image.pixels, detail };
  }
  return undefined;
}

/** How far the grey levels of a square are from the mean of their neighbours: root mean square. */
function detailOf(pixels, row, column, side) {
  const grey = (y, x) => {
    const at =
      (Math.min(SIDE - 1, Math.max(0, y)) * SIDE + Math.min(SIDE - 1, Math.max(0, x))) * channels;
    return pixels.subarray(at, at + channels).reduce((sum, value) => sum + value, 0) / channels;
  };
  let sum = 0;
  for (let y = row; y < row + side; y++) {
    for (let x = column; x < column + side; x++) {
      const around = grey(y - 1, x) + grey(y + 1, x) + grey(y, x - 1) + grey(y, x + 1);
      sum += (grey(y, x) - around / 4) ** 2;
    }
  }
  return Math.sqrt(sum) / side;
}

/** The worst suspicion, or the mean one, of the fragments of all scales that hold each pixel. */
function simply(map, combine) {
  return Float32Array.from({ length: SIZE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    const own = [];
    for (const { meaning, values, rows, columns, stride, first } of [map, ...(map.coarser ?? [])]) {
      const internal = first.width + 2 * first.x;
      /** The first and the last fragment along a side that hold a pixel. */
      const reach = (p, places) => [
        Math.max(0, Math.ceil((p - internal + 1) / stride)),
        Math.min(Math.floor(p / stride), places - 1),
      ];
      const [[top, bottom], [left, right]] = [reach(y, rows), reach(x, columns)];
      for (let r = top; r <= bottom; r++) {
        for (let c = left; c <= right; c++) own.push(suspicionOf(meaning, values[r * columns + c]));
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
  const rated = (info.calibration?.data.pictures ?? 0) >= 99; // else no p is so small
  console.log(
    `\n${info.name}, ${info.fragment.internal} + 2 · ${info.fragment.frame} pixels, ${count} images of each kind\n`,
  );
  const heads = [
    ...['kind', 'pixels', 'pixels, worst', 'pixels, mean', 'AUPRO', 'pictures', 'found %'],
    'false alarms %',
    ...(byDetail ? ['least detail', 'middle', 'most detail'] : []),
  ];
  console.log(`| ${heads.join(' | ')} |`);
  console.log(`| ${heads.map(() => '---').join(' | ')} |`);
  const kinds = [
    ...(options.data ? [] : [['patch', 'mismatch', 6]]),
    ...sides.flatMap((side) => Object.entries(KINDS).map(([name, kind]) => [name, kind, side])),
  ];
  for (const [name, kind, side] of kinds) {
    const picture = (data) => ({ width: SIDE, height: SIDE, data });
    const rows = [];
    for (const { pixels, mask, original, detail } of tamper(kind, side)) {
      const map = await detector.scoreMap(picture(pixels));
      const clean = await detector.scoreMap(picture(original));
      const scores = suspicionMap(map, picture(pixels));
      const untouched = suspicionMap(clean, picture(original));
      const verdict = (of) =>
        rated ? Number(detectionOf(info, of, picture(pixels), 0.01).p <= 0.01) : 0;
      if (kind === 'mismatch' && file === files[0] && shown.length < 16)
        shown.push({ pixels, scores });
      rows.push({
        ...{ mask, scores, clean: most(untouched), found: verdict(map), alarm: verdict(clean) },
        ...{ worst: simply(map, RULES.worst), mean: simply(map, RULES.mean), detail },
      });
    }
    const masks = (of, some = rows) =>
      some.map((row) => ({ width: SIDE, mask: row.mask, scores: row[of] }));
    const pictures = auroc(
      [...rows.map(({ scores }) => most(scores)), ...rows.map(({ clean }) => clean)],
      rows.flatMap(() => [1]).concat(rows.map(() => 0)),
    );
    const areas = [
      ...['scores', 'worst', 'mean'].map((of) => pixelAuroc(masks(of))),
      aupro(masks('scores')),
      pictures,
    ].map((area) => area.toFixed(4));
    const verdicts = rated
      ? [percent(rows.map(({ found }) => found)), percent(rows.map(({ alarm }) => alarm))]
      : ['', ''];
    const ranked = rows.toSorted((a, b) => a.detail - b.detail);
    const third = (k) => ranked.slice((k * rows.length) / 3, ((k + 1) * rows.length) / 3);
    const thirds = byDetail
      ? [0, 1, 2].map((k) => pixelAuroc(masks('scores', third(k))).toFixed(4))
      : [];
    const label = name === 'patch' ? 'patch' : `${name}, ${side}`;
    console.log(`| ${[label, ...areas, ...verdicts, ...thirds].join(' | ')} |`);
  }
  await detector.dispose();
}
if (options.picture) {
  const sigmoid = (value) => 1 / (1 + Math.exp(-value));
  const rows = [
    ...shown.map(({ pixels }) => Float32Array.from(pixels, (value) => value / 255)),
    ...shown.map(({ scores }) =>
      Float32Array.from({ length: SIZE * channels }, (_, k) =>
        sigmoid(scores[Math.floor(k / channels)]),
      ),
    ),
  ];
  const data = Float32Array.from(rows.flatMap((row) => [...row]));
  const sheet = new Images(rows.length, SIDE, SIDE, channels, [0, 1], data);
  await writeFileAtomic(options.picture, await sheet.toPNG({ columns: shown.length }));
}
