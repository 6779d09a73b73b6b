/** The pictures that pages show until a model is loaded, and the example pictures to be scored. */
import { Generator, gridInputs, Images, type WebFile } from '@gpn/runtime';
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
    if (tried.length > 0) {
      const images = await generator.sample({ count: 24, seed: 3 });
      for (const discriminator of tried)
        await keep(exampleOf(discriminator), withPatches(images, discriminator), 6, 0);
    }
    await generator.dispose();
  }
  return files;
}

/** For a fragment discriminator, every second image gets a square from the image before it. */
function withPatches(images: Images, { info: { fragment } }: WebModel): Images {
  if (fragment === undefined) return images;
  const { count, height, width, channels, range, data } = images;
  const side = Math.min(Math.max(6, fragment.internal), height);
  const size = height * width * channels;
  const [top, left] = [height, width].map((full) => Math.floor((full - side) / 2)) as [
    number,
    number,
  ];
  const altered = data.slice();
  for (let k = 1; k < count; k += 2) {
    for (let y = top; y < top + side; y++) {
      const from = (y * width + left) * channels;
      const line = data.subarray((k - 1) * size + from, (k - 1) * size + from + side * channels);
      altered.set(line, k * size + from);
    }
  }
  return new Images(count, height, width, channels, range, altered);
}
