import type { Discriminator, Picture, Rectangle, ScoreMap, ScoreMeaning } from '@gpn/runtime';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { amount, classOf, deviceOption, examples } from '../options.js';

interface Options {
  model: string;
  rect?: Rectangle;
  map?: string;
  stride?: number;
  label?: string;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  json?: boolean;
  csv?: boolean;
}

/** `x,y,w,h` in pixels; the option may be given once. */
function rectangle(text: string): Rectangle {
  const numbers = text.split(',').map((part) => (part.trim() ? Number(part) : Number.NaN));
  const [x, y, width, height] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isFinite))
    throw new InvalidArgumentError('It must be x,y,width,height in pixels, such as 0,0,28,28.');
  return { x, y, width, height } as Rectangle;
}

export function addScore(program: Command): void {
  program
    .command('score')
    .description('score pictures with an exported discriminator')
    .argument('<image...>', 'pictures (PNG, JPEG, WebP, GIF, TIFF …); - for the standard input')
    .requiredOption('--model <file|name>', 'an ONNX file, or the name of a bundled model')
    .option('--rect <x,y,w,h>', 'score this part of each picture', rectangle)
    .option('--map <file>', 'FILE.png: a heat map over the picture; FILE.npy: its values')
    .option('--stride <n>', 'pixels from one window of the map to the next', amount)
    .option('--label <class>', 'the class to judge as, of a conditional model, by number or name')
    .addOption(deviceOption())
    .option('--json', 'print the scores as JSON')
    .addOption(new Option('--csv', 'print the scores as CSV').conflicts('json'))
    .addHelpText(
      'after',
      examples(
        'score --model dcgan-mnist-discriminator.onnx digit.png',
        'score --model dcgan-mnist-discriminator.onnx --rect 10,20,28,28 scan.jpg --json',
        'score --model dcgan-mnist-discriminator.onnx --map heat.png --stride 4 scan.jpg',
      ),
    )
    .action(score);
}

interface Row {
  image: string;
  score: number;
  meaning: ScoreMeaning;
  probability?: number;
  map?: { file: string; rows: number; columns: number; low: number; high: number };
}

async function score(images: string[], options: Options): Promise<void> {
  const { Discriminator, UserError, extent, probability } = await import('@gpn/runtime');
  const { checkWritable } = await import('../files.js');
  const { model, map, device, rect, stride, label } = options;
  if (map !== undefined) {
    if (images.length > 1) throw new UserError('--map takes one picture at a time.');
    if (!/\.(png|npy)$/i.test(map)) throw new UserError(`--map ${map} must end in .png or .npy.`);
    await checkWritable(map, 'file', '--map');
  }
  const { readPicture } = await import('../pictures.js');
  const judge = await Discriminator.load(model, { device });
  const labels = label === undefined ? {} : { labels: await classOf(judge.info, label) };
  const rows: Row[] = [];
  for (const image of images) {
    const picture = await readPicture(image);
    const whole = rect === undefined && judge.info.fragment !== undefined;
    const found =
      whole || map !== undefined
        ? await judge.scoreMap(picture, { ...labels, ...(stride && { stride }) })
        : undefined;
    const score = whole && found ? mean(found.values) : await scoreOf(judge, picture, rect, labels);
    const meaning = judge.info.scores as ScoreMeaning;
    const real = probability(meaning, score);
    const row: Row = { image, score, meaning, ...(real !== undefined && { probability: real }) };
    if (found && map !== undefined) {
      await writeMap(map, found, picture);
      const [low, high] = extent(found.values);
      row.map = { file: map, rows: found.rows, columns: found.columns, low, high };
    }
    rows.push(row);
  }
  await judge.dispose();
  process.stdout.write(printed(rows, options));
}

/** The score of a picture whose fragments are judged. */
const mean = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function scoreOf(
  judge: Discriminator,
  picture: Picture,
  rect: Rectangle = { x: 0, y: 0, width: picture.width, height: picture.height },
  labels: { labels?: number },
): Promise<number> {
  const { values } = await judge.scoreFragments(picture, [rect], labels);
  return values[0] as number;
}

async function writeMap(path: string, map: ScoreMap, picture: Picture): Promise<void> {
  const { heatMap, Images, writeNpy } = await import('@gpn/runtime');
  const { writeFileAtomic } = await import('@gpn/training/atomic');
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

function printed(rows: Row[], { json, csv }: Options): string {
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  if (csv) {
    const quoted = (text: string) =>
      /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const lines = rows.map(({ image, score, meaning, probability }) =>
      [quoted(image), score, meaning, probability ?? ''].join(),
    );
    return `${['image,score,meaning,probability', ...lines].join('\n')}\n`;
  }
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
