import {
  classOf,
  type DetectedRegion,
  type Detection,
  Discriminator,
  extent,
  type ModelInfo,
  type Picture,
  type ScoreMap,
  type ScoreMeaning,
  thresholdOf,
  UserError,
  writeNpy,
} from '@gpn/runtime';
import { encodePNG } from '@gpn/runtime/write';
import { writeFileAtomic } from '@gpn/training/atomic';
import { inspectionIn } from '@gpn/training/pictures';
import { BULK, bulkScore, givenOf } from '../bulk/requests.js';
import { FOUND } from '../errors.js';
import { mapPng } from '../evaluation/report/overlay.js';
import { type Rated, scored } from '../evaluation/scored.js';
import { checkWritable, kindOf, writeStdout } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { SCORE } from '../options/score.js';
import { findPictures, readPicture } from '../pictures.js';
import { placeOf } from '../terminal/place.js';
import { print, printAside } from '../terminal/print.js';

type Options = OptionsOf<typeof SCORE>;

interface Row extends Rated {
  image: string;
  /** Where: the rarest region first. */
  regions?: readonly DetectedRegion[];
  map?: { file: string; rows: number; columns: number; low: number; high: number };
  mask?: string;
}

export async function run(paths: string[], options: Options): Promise<typeof FOUND | undefined> {
  const { model, map, mask, device, label, threshold } = options;
  if (options.manifest !== undefined) return bulkScore(options.manifest, paths, options);
  if (paths.length === 0) {
    throw new UserError('There is nothing to score: give pictures, folders, or --manifest.');
  }
  const inBulk = givenOf(options, ['out', 'fragments', ...BULK]);
  if (inBulk) throw new UserError(`${inBulk} is for bulk work: give --manifest.`);
  await checkFile(map, '--map', /\.(png|npy)$/i, '.png or .npy');
  await checkFile(mask, '--mask', /\.png$/i, '.png');
  await checkFile(options.report, '--report', /\.html?$/i, '.html');
  if (options.masks !== undefined && options.report === undefined) {
    throw new UserError('--masks is for a report: give --report FILE.html.');
  }
  const found = await findPictures(paths);
  const single = map !== undefined ? '--map' : mask !== undefined ? '--mask' : undefined;
  if (single && found.length > 1) throw new UserError(`${single} takes one picture at a time.`);
  const discriminator = await Discriminator.load(model, { device });
  const rows: Row[] = [];
  const refused: string[] = [];
  try {
    if ([threshold, mask, options.report].some((asked) => asked !== undefined)) {
      thresholdOf(discriminator.info, threshold);
    }
    const report = await reportFor(discriminator.info, options, paths);
    // The scores are the only thing on the standard output.
    if (discriminator.device === 'wasm') printAside(`On ${placeOf(discriminator)}.\n`);
    const labels = label === undefined ? {} : { labels: classOf(discriminator.info, label) };
    const note = sizeNote(discriminator.info);
    for (const { path, problem } of found) {
      try {
        if (problem) throw new UserError(problem);
        const picture = await readPicture(path);
        note(path, picture);
        const seen = (found: Detection) => report?.add(path, picture, found);
        rows.push(await rowOf(discriminator, path, picture, { ...options, labels, seen }));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused.push(error.message);
      }
    }
    if (rows.length > 0) await report?.write();
  } finally {
    await discriminator.dispose();
  }
  // A table for programs is data: a name in it stays as it is.
  if (options.csv && !options.json) await writeStdout(new TextEncoder().encode(csv(rows)));
  else if (rows.length > 0 || options.json) print(printed(rows, options));
  if (refused.length > 0) throw new UserError(refusal(refused, found.length));
  return rows.some(({ anomalous }) => anomalous) ? FOUND : undefined;
}

/** Collects what was found for the report; undefined if none is asked for. */
async function reportFor(info: ModelInfo, { report: path, masks }: Options, paths: string[]) {
  if (path === undefined) return undefined;
  const { detectionReport } = await import('../evaluation/report/detections.js');
  const { masksIn } = await import('../evaluation/report/masks.js');
  const [only, ...others] = paths;
  const known =
    masks === undefined &&
    only !== undefined &&
    others.length === 0 &&
    (await kindOf(only)) === 'folder'
      ? (await inspectionIn(only))?.masks
      : undefined;
  const folder = masks ?? known;
  const maskOf = folder === undefined ? undefined : await masksIn(folder, known !== undefined);
  const report = detectionReport(info, maskOf !== undefined);
  return {
    add: async (image: string, picture: Picture, found: Detection): Promise<void> =>
      report.add(image, picture, found, await maskOf?.(image, picture)),
    async write(): Promise<void> {
      const { html, measures } = await report.html();
      await writeFileAtomic(path, html);
      for (const [name, value] of measures) printAside(`${name}: ${value.toFixed(4)}\n`);
      printAside(`Wrote ${path}.\n`);
    },
  };
}

async function checkFile(
  path: string | undefined,
  option: string,
  ending: RegExp,
  endings: string,
) {
  if (path === undefined) return;
  if (!ending.test(path)) throw new UserError(`${option} ${path} must end in ${endings}.`);
  await checkWritable(path, 'file', option);
}

/** Says once that p-values do not hold for pictures that are much larger than those of the calibration. */
function sizeNote({ calibration, fragment }: ModelInfo) {
  let said = !(calibration && fragment);
  return (path: string, { width, height }: Picture): void => {
    const pixels = calibration?.data.pixels ?? 0;
    if (said || width * height <= 2 * pixels) return;
    said = true;
    printAside(
      `${path} has ${((width * height) / pixels).toFixed(1)} times the pixels of the pictures that the model ` +
        'was calibrated with: the larger a picture, the more often it has something rare. Calibrate with pictures of its size.\n',
    );
  };
}

/** How many pictures that could not be scored the error names. */
const NAMED = 5;

function refusal(refused: readonly string[], total: number): string {
  if (total === 1) return refused[0] as string;
  const named = refused.slice(0, NAMED).map((sentence) => sentence.replace(/\.$/, ''));
  const more = refused.length - named.length;
  const list = named.join('; ') + (more > 0 ? `; and ${more} more` : '');
  return `${refused.length} of ${total} pictures were not scored: ${list}.`;
}

interface Part extends Pick<Options, 'rect' | 'stride' | 'map' | 'mask' | 'threshold'> {
  readonly labels: { labels?: number };
  /** Called with what was found in the picture. */
  readonly seen: (found: Detection) => Promise<void> | undefined;
}

/** Scores a picture, and writes the map and the mask if they are asked for. */
async function rowOf(
  discriminator: Discriminator,
  image: string,
  picture: Picture,
  { rect, stride, map, mask, threshold, labels, seen }: Part,
): Promise<Row> {
  const { info } = discriminator;
  const needs = { map: map !== undefined, detection: mask !== undefined };
  const how = { labels, rect, stride, threshold, needs };
  const { rated, map: found, detection } = await scored(discriminator, picture, how);
  const row: Row = { image, ...rated };
  if (detection) await seen(detection);
  if (detection && (threshold !== undefined || mask !== undefined)) row.regions = detection.regions;
  const drawn = async (path: string, scores: ScoreMap): Promise<void> => {
    const bytes = /\.npy$/i.test(path)
      ? writeNpy(scores.values, [scores.rows, scores.columns])
      : await mapPng(info, scores, picture, detection);
    await writeFileAtomic(path, bytes);
  };
  // The map is drawn while the mask is compressed.
  await Promise.all([
    detection && mask !== undefined && writeMask(mask, detection),
    found && map !== undefined && drawn(map, found),
  ]);
  if (detection && mask !== undefined) row.mask = mask;
  if (!found || map === undefined) return row;
  const [low, high] = extent(found.values);
  return { ...row, map: { file: map, rows: found.rows, columns: found.columns, low, high } };
}

async function writeMask(path: string, { mask, width, height }: Detection): Promise<void> {
  const pixels = mask.map((found) => 255 * found);
  await writeFileAtomic(path, await encodePNG(width, height, 1, pixels));
}

const MEANINGS: Record<ScoreMeaning, string> = {
  logit: 'logit, larger for real',
  probability: 'probability of real',
  critic: 'critic value, larger for real',
  energy: 'energy, smaller for real',
};

function csv(rows: Row[]): string {
  const quoted = (text: string) =>
    /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const calibrated = rows.some(({ p }) => p !== undefined);
  const lines = rows.map(({ image, score, meaning, probability, p, anomalous }) =>
    [
      ...[quoted(image), score, meaning, probability ?? ''],
      ...(calibrated ? [p ?? '', anomalous ?? ''] : []),
    ].join(),
  );
  const head = `image,score,meaning,probability${calibrated ? ',p,anomalous' : ''}`;
  return `${[head, ...lines].join('\n')}\n`;
}

function printed(rows: Row[], { json }: Options): string {
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows
    .map((row) => {
      const { image, score, meaning, map, mask } = row;
      const real =
        meaning === 'logit' ? `; probability of real ${row.probability?.toPrecision(3)}` : '';
      const heat = map
        ? `${map.file}: ${map.columns} × ${map.rows} windows, ${map.low.toPrecision(4)} to ${map.high.toPrecision(4)}`
        : '';
      const first = `${image}: ${score.toPrecision(5)} (${MEANINGS[meaning]}${real})${verdict(row)}`;
      return [first, ...places(row), heat, mask ? `${mask}: the mask` : '']
        .filter(Boolean)
        .join('\n');
    })
    .map((text) => `${text}\n`)
    .join('');
}

const verdict = ({ p, anomalous }: Row): string => {
  if (p === undefined) return '';
  const said = anomalous === undefined ? '' : anomalous ? ', anomalous' : ', normal';
  return `; p ${p.toPrecision(3)}${said}`;
};

/** Regions that are printed of a picture; JSON has all. */
const PLACES = 5;

const places = ({ regions = [] }: Row): string[] => [
  ...regions
    .slice(0, PLACES)
    .map(
      ({ x, y, width, height, p }) =>
        `  at ${x},${y}: ${width} × ${height} pixels, p ${p.toPrecision(3)}`,
    ),
  ...(regions.length > PLACES ? [`  and ${regions.length - PLACES} more regions`] : []),
];
