/** Feature extractors: a judge, or any other .onnx file that maps images to features. */
import { createHash } from 'node:crypto';
import {
  METADATA_KEY,
  type ModelInfo,
  metadataOf,
  openSession,
  type Preparation,
  readModelInfo,
  type Session,
  UserError,
} from '@gpn/runtime';
import type { Pictures } from '../../data/types.js';
import { type Rows, rowsOf } from '../metrics/rows.js';
import { classesOf } from '../metrics/verdicts.js';
import { type ImageInput, type Layout, prepareBatch } from './prepare.js';

/** Identifies features; a part of the protocol. */
export interface FeaturesIdentity {
  readonly name: string;
  /** SHA-256 of the file, in hex. */
  readonly sha256: string;
  /** Number of features of an image. */
  readonly size: number;
  /** The values of the pixels 0 and 255. */
  readonly range: readonly [number, number];
}

/** An open feature extractor. */
export interface Extractor {
  readonly identity: FeaturesIdentity;
  /** Number of classes, if the extractor is also a classifier. */
  readonly classes?: number;
  /** How the pictures that it was trained with became images, if the file says so. */
  readonly preparation?: Preparation;
  /** The features of images, and the logits of a classifier; one row for each image. */
  extract(
    images: Pictures,
    options?: { onProgress?: (done: number, total: number) => void },
  ): Promise<{ features: Rows; logits?: Rows }>;
  /** Frees the extractor's session. */
  dispose(): Promise<void>;
}

/** How to open an extractor. */
export interface ExtractorOptions {
  /** The name of the file in errors. */
  readonly label?: string;
  /** The values of the pixels 0 and 255, if the file does not contain them; [0, 1] by default. */
  readonly range?: readonly [number, number];
  readonly threads?: number;
}

const BATCH = 200;

/**
 * Opens a feature extractor. A file exported by this project describes itself. Of any other file, the
 * first input takes images (NHWC or NCHW, grey or RGB, of the size of its shape) and the first output
 * gives features, which are flattened. Images of another size are resized, as pictures are for a
 * training; grey ones are repeated in all channels.
 *
 * @throws UserError if the file is not a feature extractor
 */
export async function openExtractor(
  bytes: Uint8Array,
  { label = 'The feature extractor', range, threads }: ExtractorOptions = {},
): Promise<Extractor> {
  const ours = metadataOf(bytes, label)[METADATA_KEY] !== undefined;
  const info = ours ? readModelInfo(bytes, label) : undefined;
  if (info && info.kind !== 'features') {
    throw new UserError(`${label} is a ${info.kind}: --features takes a feature extractor.`);
  }
  const session = await openSession(bytes, { device: 'cpu', label, ...(threads && { threads }) });
  try {
    const format = info ? inputOf(info) : guessInput(session, label, range ?? [0, 1]);
    const output = info?.output ?? (session.outputNames[0] as string);
    const names = [output, ...(info?.classifier ? [info.classifier.output] : [])];
    const run = runner(session, format, names, label);
    const black = { count: 1, height: 28, width: 28, channels: format.channels };
    const size = (await run({ ...black, images: new Uint8Array(784 * format.channels) }))[0]?.size;
    return {
      identity: {
        name: info?.name ?? label.replace(/^.*[/\\]/, ''),
        sha256: identityHash(bytes),
        size: size as number,
        range: format.range,
      },
      ...(info?.classifier && { classes: info.classifier.classes }),
      ...(info?.image.preparation && { preparation: info.image.preparation }),
      async extract(images, { onProgress } = {}) {
        const [features, logits] = await run(images, onProgress);
        return { features: features as Rows, ...(logits && { logits }) };
      },
      dispose: () => session.dispose(),
    };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/**
 * Files that were rewritten for more engines, with the SHA-256 of the form in which they were published:
 * they compute the same bits, so values measured with either are comparable.
 */
const PUBLISHED_AS: Readonly<Record<string, string>> = {
  // judge-mnist
  '473763eeb8d52ced791785b2a90b3d81fbd3fa95e47db6c048717e6fb3d08200':
    'f118e230938e20eac70973d89748ad2dd5f1245855190a79b80aa080ea27f1fe',
  // judge-fashion
  c771be12668bd2e890dd8e91543fc8c77f9ffc4cc606c3957ee5cca26ff0a93c:
    '3215a72d530f12a6a68443f68c3c16a8da2b726774f88cca1f262aa5a323cfdc',
};

function identityHash(bytes: Uint8Array): string {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return PUBLISHED_AS[sha256] ?? sha256;
}

/**
 * The most probable category of each image, by the discriminator of an InfoGAN.
 *
 * @param bytes of the discriminator's file
 * @throws UserError if the file has no output of categories
 */
export async function categoriesOf(
  bytes: Uint8Array,
  images: Pictures,
  label = 'The discriminator',
): Promise<Uint8Array> {
  const info = readModelInfo(bytes, label);
  const session = await openSession(bytes, { device: 'cpu', label });
  try {
    if (!session.outputNames.includes('categories')) {
      throw new UserError(
        `${label} gives no categories: --categories takes the discriminator of an InfoGAN.`,
      );
    }
    const [categories] = await runner(session, inputOf(info), ['categories'], label)(images);
    return classesOf(categories as Rows);
  } finally {
    await session.dispose();
  }
}

interface NamedInput extends ImageInput {
  readonly input: string;
  /** The batch size, if it is fixed. */
  readonly batch?: number;
}

const inputOf = ({ input, image }: ModelInfo): NamedInput => ({
  input,
  layout: 'NHWC',
  height: image.height,
  width: image.width,
  channels: image.channels,
  range: image.range,
});

/** Derives the layout of an input from the position of its channels. */
function guessInput(session: Session, label: string, range: readonly [number, number]): NamedInput {
  const [input] = session.inputs;
  const shape = input?.shape ?? [];
  const isChannels = (d: unknown) => d === 1 || d === 3;
  const layout: Layout | undefined =
    shape.length !== 4
      ? undefined
      : isChannels(shape[1])
        ? 'NCHW'
        : isChannels(shape[3])
          ? 'NHWC'
          : undefined;
  if (!input || !layout || input.dtype !== 'float32') {
    const found = input ? `${input.dtype} [${shape}]` : 'nothing';
    throw new UserError(
      `${label} cannot be used for --features: its first input should be float32 images of 1 or 3 channels, and takes ${found}.`,
    );
  }
  const [batch, ...rest] = shape;
  const [channels, height, width] = layout === 'NCHW' ? rest : [rest[2], rest[0], rest[1]];
  const known = (d: number | string | undefined) => (typeof d === 'number' && d > 0 ? d : 0);
  return {
    input: input.name,
    layout,
    height: known(height),
    width: known(width),
    channels: channels as number,
    range,
    ...(known(batch) && { batch: known(batch) }),
  };
}

/** @throws UserError if the values of an image are not finite, because no measure would be either */
function checkFinite({ data, count, size }: Rows, name: string, label: string): void {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at < 0) return;
  throw new UserError(
    `${label} cannot be used for --features: its output "${name}" has ${data[at]} for image ${Math.floor(at / size) + 1} of ${count}; check the file, and the values that it expects for black and white (--features-range).`,
  );
}

/** Returns a function that runs images in batches and collects the rows of the named outputs. */
function runner(session: Session, format: NamedInput, names: readonly string[], label: string) {
  const step = format.batch ?? BATCH;
  return async (
    images: Pictures,
    onProgress?: (done: number, total: number) => void,
  ): Promise<Rows[]> => {
    const { count } = images;
    const collected = new Map<string, Float32Array>();
    for (let at = 0; at < count; at += step) {
      const n = Math.min(step, count - at);
      const { data, shape } = prepareBatch(images, at, n, format.batch ?? n, format);
      const outputs = await session.run(
        { [format.input]: { dtype: 'float32', shape, data } },
        names,
      );
      for (const name of names) {
        const values = outputs[name];
        if (values?.dtype !== 'float32' || values.shape[0] !== shape[0]) {
          throw new UserError(
            `${label} cannot be used: its output "${name}" is not a row of float32 for each image.`,
          );
        }
        const size = values.data.length / (shape[0] as number);
        const all = collected.get(name) ?? new Float32Array(count * size);
        all.set((values.data as Float32Array).subarray(0, n * size), at * size);
        collected.set(name, all);
      }
      onProgress?.(at + n, count);
    }
    return names.map((name) => {
      const rows = rowsOf(
        collected.get(name) as Float32Array,
        (collected.get(name)?.length ?? 0) / count,
      );
      checkFinite(rows, name, label);
      return rows;
    });
  };
}
