/** The pictures that pages show until a model is loaded, and the example pictures to be scored. */
import {
  Generator,
  gridInputs,
  Images,
  type ModelInfo,
  type Rectangle,
  type WebFile,
} from '@gpn/runtime';
import type { WebModel } from './model.js';

/** The seed that the pages start with. */
export const SEED = 7;

/** The number of images: ten for each class, or a square of 6 × 6. */
export const countOf = ({ info }: WebModel): number =>
  info.condition ? 10 * info.condition.classes : 36;

/** Number of codes whose sweep a page shows. */
const SWEPT = 2;

export const posterOf = ({ file }: WebModel): string => file.replace(/\.onnx$/, '-poster.png');
export const exampleOf = ({ file }: WebModel): string => file.replace(/\.onnx$/, '-example.png');

/** The pictures of the sweeps on the page of a generator, by code. */
export const sweepsOf = ({ file, info }: WebModel): string[] =>
  Array.from({ length: Math.min(SWEPT, info.codes?.size ?? 0) }, (_, code) =>
    file.replace(/\.onnx$/, `-code-${code}.png`),
  );

/** The generator that draws the example for a discriminator: its own, or one with images of its size. */
export function drawnFor(
  discriminator: WebModel,
  generators: readonly WebModel[],
): WebModel | undefined {
  const { image, fragment } = discriminator.info;
  const like = generators.filter(
    ({ info }) =>
      info.image.channels === image.channels &&
      (fragment ? info.image.width >= image.width : info.image.width === image.width),
  );
  const own = like
    .filter((generator) => belongs(discriminator, generator))
    .sort((a, b) => b.info.name.length - a.info.name.length)[0]; // gpn-mnist-large before gpn-mnist
  if (own && !discriminator.info.calibration) return own;
  // A detector is shown what it takes for normal: the best that was learnt from its data.
  const data = discriminator.info.training?.dataset.hash;
  const distance = ({ info }: WebModel): number =>
    (info.training?.dataset.hash === data
      ? info.quality?.find(({ metric }) => metric === 'frechet')?.value
      : undefined) ?? Number.POSITIVE_INFINITY;
  return [...like].sort((a, b) => distance(a) - distance(b) || 0)[0];
}

/** Whether a discriminator was trained with this generator, as their names say. */
export const belongs = (discriminator: WebModel, generator: WebModel): boolean =>
  discriminator.info.name.startsWith(`${generator.info.name}-`);

/** All pictures of all models. */
export async function pictures(
  generators: readonly WebModel[],
  discriminators: readonly WebModel[],
): Promise<WebFile[]> {
  const files: WebFile[] = [];
  for (const model of generators) {
    const generator = await Generator.load(model.bytes, { device: 'cpu' });
    const keep = async (path: string, images: Images, columns: number, gap: number) =>
      files.push({ path, bytes: await images.toPNG({ columns, gap }) });
    const { info } = model;
    // Drawn as the element draws it, so that nothing jumps when the element replaces the poster.
    const rows = info.condition?.classes ?? 1;
    const codes = info.codes && { codes: {} };
    const count = countOf(model) / rows;
    const { columns, ...inputs } = gridInputs(info, { seed: SEED, count, ...codes });
    const across = rows > 1 ? columns : Math.ceil(Math.sqrt(count));
    await keep(posterOf(model), await generator.sample(inputs), across, 1);
    for (const [code, path] of sweepsOf(model).entries()) {
      const sweep = { code, from: -2, to: 2, steps: 11 };
      const { columns, ...inputs } = gridInputs(info, { seed: SEED, sweep });
      await keep(path, await generator.sample(inputs), columns, 1);
    }
    const tried = discriminators.filter(
      (discriminator) => drawnFor(discriminator, generators) === model,
    );
    for (const discriminator of tried) {
      const page = await examplePage(generator, EXAMPLE.seed, discriminator.info);
      files.push({ path: exampleOf(discriminator), bytes: page });
    }
    await generator.dispose();
  }
  return files;
}

/** The example: so many images, so many in a row. */
const EXAMPLE = { seed: 3, count: 24, columns: 6 } as const;
/** A forged square has so many pixels a side at least: smaller ones a person does not see either. */
const FORGED = 8;

/** A page of images as a PNG; forged for a discriminator of fragments, if one is given. */
export async function examplePage(
  generator: Generator,
  seed: number,
  discriminator?: ModelInfo,
): Promise<Uint8Array> {
  const { count, columns } = EXAMPLE;
  const images = await generator.sample({ count, seed });
  const shown = discriminator ? withSquares(images, discriminator) : images;
  return shown.toPNG({ columns, gap: 0 });
}

/** The square in the middle of an image that is from another: so many pixels from each edge. */
function squareOf(
  { height, width }: { height: number; width: number },
  { fragment }: ModelInfo,
): Rectangle {
  const side = Math.min(Math.max(FORGED, fragment?.internal ?? 0), height, width);
  return {
    ...{ x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2) },
    ...{ width: side, height: side },
  };
}

/** Where a forged page has its squares. */
export function forgedSquares({ image }: ModelInfo, discriminator: ModelInfo): Rectangle[] {
  const { count, columns } = EXAMPLE;
  const square = squareOf(image, discriminator);
  return [...Array(count).keys()].filter(isForged).map((k) => ({
    ...square,
    x: square.x + (k % columns) * image.width,
    y: square.y + Math.floor(k / columns) * image.height,
  }));
}

/** Every second image. */
const isForged = (k: number): boolean => k % 2 === 1;

/** For a discriminator of fragments, forged images get a square from the image before them. */
function withSquares(images: Images, info: ModelInfo): Images {
  if (info.fragment === undefined) return images;
  const { count, height, width, channels, range, data } = images;
  const square = squareOf(images, info);
  const size = height * width * channels;
  const altered = data.slice();
  for (let k = 1; k < count; k++) {
    if (!isForged(k)) continue;
    for (let y = square.y; y < square.y + square.height; y++) {
      const from = (y * width + square.x) * channels;
      const to = from + square.width * channels;
      altered.set(data.subarray((k - 1) * size + from, (k - 1) * size + to), k * size + from);
    }
  }
  return new Images(count, height, width, channels, range, altered);
}
