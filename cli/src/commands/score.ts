import {
  classOf,
  Discriminator,
  extent,
  heatMap,
  Images,
  type Picture,
  probability,
  type Rectangle,
  type ScoreMap,
  type ScoreMeaning,
  UserError,
  writeNpy,
} from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import { checkWritable, writeStdout } from '../files.js';
import type { SCORE } from '../options/score.js';
import type { OptionsOf } from '../options/spec.js';
import { findPictures, readPicture } from '../pictures.js';
import { placeOf } from '../terminal/place.js';
import { print, printAside } from '../terminal/print.js';

type Options = OptionsOf<typeof SCORE>;

interface Row {
  image: string;
  score: number;
  meaning: ScoreMeaning;
  probability?: number;
  map?: { file: string; rows: number; columns: number; low: number; high: number };
}

export async function run(paths: string[], options: Options): Promise<void> {
  const { model, map, device, rect, stride, label } = options;
  if (map !== undefined) {
    if (!/\.(png|npy)$/i.test(map)) throw new UserError(`--map ${map} must end in .png or .npy.`);
    await checkWritable(map, 'file', '--map');
  }
  const found = await findPictures(paths);
  if (map !== undefined && found.length > 1) {
    throw new UserError('--map takes one picture at a time.');
  }
  const discriminator = await Discriminator.load(model, { device });
  // The scores are the only thing on the standard output.
  if (discriminator.device === 'wasm') printAside(`On ${placeOf(discriminator)}.\n`);
  const labels = label === undefined ? {} : { labels: classOf(discriminator.info, label) };
  const rows: Row[] = [];
  const refused: string[] = [];
  for (const { path, problem } of found) {
    try {
      if (problem) throw new UserError(problem);
      const picture = await readPicture(path);
      rows.push(await rowOf(discriminator, path, picture, { rect, stride, map, labels }));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused.push(error.message);
    }
  }
  await discriminator.dispose();
  // A table for programs is data: a name in it stays as it is.
  if (options.csv && !options.json) await writeStdout(new TextEncoder().encode(csv(rows)));
  else if (rows.length > 0 || options.json) print(printed(rows, options));
  if (refused.length > 0) throw new UserError(refusal(refused, found.length));
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

interface Part {
  readonly rect: Rectangle | undefined;
  readonly stride: number | undefined;
  readonly map: string | undefined;
  readonly labels: { labels?: number };
}

/** Scores a picture, and writes the map if one is asked for. */
async function rowOf(
  discriminator: Discriminator,
  image: string,
  picture: Picture,
  { rect, stride, map, labels }: Part,
): Promise<Row> {
  const { fragment, scores } = discriminator.info;
  // Of a discriminator of fragments, a whole picture has the average over its fragments.
  const isMean = rect === undefined && fragment !== undefined;
  const found =
    isMean || map !== undefined
      ? await discriminator.scoreMap(picture, { ...labels, ...(stride && { stride }) })
      : undefined;
  const score =
    isMean && found ? mean(found.values) : await scoreOf(discriminator, picture, rect, labels);
  const meaning = scores as ScoreMeaning;
  const real = probability(meaning, score);
  const row: Row = { image, score, meaning, ...(real !== undefined && { probability: real }) };
  if (!found || map === undefined) return row;
  await writeMap(map, found, picture);
  const [low, high] = extent(found.values);
  return { ...row, map: { file: map, rows: found.rows, columns: found.columns, low, high } };
}

const mean = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function scoreOf(
  discriminator: Discriminator,
  picture: Picture,
  rect: Rectangle | undefined,
  labels: { labels?: number },
): Promise<number> {
  const { values } = rect
    ? await discriminator.scoreFragments(picture, [rect], labels)
    : await discriminator.scorePictures([picture], labels);
  return values[0] as number;
}

async function writeMap(path: string, map: ScoreMap, picture: Picture): Promise<void> {
  if (/\.npy$/i.test(path)) {
    await writeFileAtomic(path, writeNpy(map.values, [map.rows, map.columns]));
    return;
  }
  const { width, height, data } = picture;
  const heat = heatMap(map, width, height);
  const channels = data.length / (width * height);
  const rgb = Float32Array.from({ length: width * height * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const own = data[pixel * channels + (channels < 3 ? 0 : c)] as number;
    return 0.4 * own + 0.6 * (heat[pixel * 4 + c] as number);
  });
  const image = new Images(1, height, width, 3, [0, 255], rgb);
  await writeFileAtomic(path, await image.toPNG({ gap: 0 }));
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
  const lines = rows.map(({ image, score, meaning, probability }) =>
    [quoted(image), score, meaning, probability ?? ''].join(),
  );
  return `${['image,score,meaning,probability', ...lines].join('\n')}\n`;
}

function printed(rows: Row[], { json }: Options): string {
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows
    .map(({ image, score, meaning, probability, map }) => {
      const real =
        meaning === 'logit' ? `; probability of real ${probability?.toPrecision(3)}` : '';
      const heat = map
        ? `\n${map.file}: ${map.columns} × ${map.rows} windows, ${map.low.toPrecision(4)} to ${map.high.toPrecision(4)}`
        : '';
      return `${image}: ${score.toPrecision(5)} (${MEANINGS[meaning]}${real})${heat}\n`;
    })
    .join('');
}
