/** What a model file says of itself: one JSON entry, `gpn`, of its ONNX metadata. */

import { UserError } from '../errors.js';
import {
  type Check,
  interval,
  list,
  Mismatch,
  nonNegative,
  object,
  oneOf,
  optional,
  positive,
  real,
  record,
  text,
  whole,
} from './checks.js';
import { metadataOf, withMetadata } from './onnx-metadata.js';

export const METADATA_KEY = 'gpn';
export const METADATA_VERSION = 1;

export const KINDS = ['generator', 'discriminator', 'critic', 'features'] as const;
export type Kind = (typeof KINDS)[number];

/** Uniform on (-1, 1), or standard normal. */
export type Distribution = 'uniform' | 'normal';

/**
 * What a score says: `logit`, the sigmoid of which is the probability of "real"; `probability` of
 * "real"; `critic`, a value without units, larger for real; `energy`, smaller for real.
 */
export type ScoreMeaning = 'logit' | 'probability' | 'critic' | 'energy';

/** Images are float32 of the shape [N, height, width, channels], with values in `range`. */
export interface ImageInfo {
  height: number;
  width: number;
  channels: number;
  range: [low: number, high: number];
  layout: 'NHWC';
  color: 'gray' | 'rgb';
}

export interface TrainingInfo {
  /** SHA-256 of the recipe, hexadecimal. */
  recipe: string;
  dataset: { name: string; hash: string };
  steps: number;
  epochs: number;
  seed: number;
  /** Software and its version. */
  versions: Record<string, string>;
}

/** A measured figure, and how it was measured: comparable only under the same protocol. */
export interface QualityInfo {
  metric: string;
  value: number;
  protocol: string;
}

/**
 * Golden values, which any platform can recompute; made and checked by `certificate.ts`, which
 * says what the inputs are and where in the output the values lie.
 */
export interface Certificate {
  seed: number;
  count: number;
  values: number[];
  /** Mean and root mean square of the whole output. */
  mean: number;
  rms: number;
  /** The largest difference allowed on a platform, in units of max(1, rms). */
  tolerance: { cpu: number; cuda: number; wasm: number; webgpu: number };
}

export interface ModelInfo {
  version: 1;
  name: string;
  kind: Kind;
  /** The main input: latents [N, size] of a generator, images of the others. */
  input: string;
  /** The main output: images of a generator, [N, 1] scores, or [N, size] features. */
  output: string;
  image: ImageInfo;
  /** Of a generator. */
  latent?: { size: number; distribution: Distribution };
  /** A class, fed as one-hot [N, classes]; `names` are the classes' names. */
  condition?: { input: string; classes: number; names?: string[] };
  /** Continuous codes, fed as [N, size]. */
  codes?: { input: string; size: number; range: [low: number, high: number] };
  /** Of a discriminator or critic. */
  scores?: ScoreMeaning;
  /** Of a feature extractor that classifies too: its output of logits, [N, classes]. */
  classifier?: { output: string; classes: number; names?: string[] };
  /** Of a discriminator of fragments: its images are fragments of side internal + 2 · frame. */
  fragment?: { internal: number; frame: number };
  training?: TrainingInfo;
  quality?: QualityInfo[];
  certificate?: Certificate;
}

// Limits that no honest model comes near; they bound what a file that lies can make us allocate.
const size = whole(1, 65_536);
const side = whole(1, 16_384);
const name = text(200);

const checkInfo: Check<ModelInfo> = object<ModelInfo>({
  version: oneOf(METADATA_VERSION),
  name,
  kind: oneOf(...KINDS),
  input: name,
  output: name,
  image: object<ImageInfo>({
    height: side,
    width: side,
    channels: whole(1, 4),
    range: interval,
    layout: oneOf('NHWC'),
    color: oneOf('gray', 'rgb'),
  }),
  latent: optional(object({ size, distribution: oneOf('uniform', 'normal') })),
  condition: optional(
    object<NonNullable<ModelInfo['condition']>>({
      input: name,
      classes: size,
      names: optional(list(name, 65_536)),
    }),
  ),
  codes: optional(object({ input: name, size, range: interval })),
  scores: optional(oneOf('logit', 'probability', 'critic', 'energy')),
  classifier: optional(
    object<NonNullable<ModelInfo['classifier']>>({
      output: name,
      classes: size,
      names: optional(list(name, 65_536)),
    }),
  ),
  fragment: optional(object({ internal: side, frame: whole(0, 16_384) })),
  training: optional(
    object<TrainingInfo>({
      recipe: name,
      dataset: object({ name, hash: name }),
      steps: whole(0, Number.MAX_SAFE_INTEGER),
      epochs: nonNegative,
      seed: whole(0, Number.MAX_SAFE_INTEGER),
      versions: record(name, 100),
    }),
  ),
  quality: optional(
    list(object<QualityInfo>({ metric: name, value: real, protocol: text(10_000) }), 1000),
  ),
  certificate: optional(
    object<Certificate>({
      seed: whole(0, Number.MAX_SAFE_INTEGER),
      count: whole(1, 1024),
      values: list(real, 65_536),
      mean: real,
      rms: real,
      tolerance: object({ cpu: positive, cuda: positive, wasm: positive, webgpu: positive }),
    }),
  ),
});

const CHANNELS = { gray: 1, rgb: 3 };

/** Checks that fields are what they should be, and that they agree with one another. */
function check(value: unknown): ModelInfo {
  const info = checkInfo(value, '');
  const { image, condition, fragment } = info;
  const agree = (condition: boolean, sentence: string) => {
    if (!condition) throw new Mismatch(sentence);
  };
  agree(
    image.channels === CHANNELS[image.color],
    `image.channels is ${image.channels}, but image.color is "${image.color}"`,
  );
  const scoring = info.kind === 'discriminator' || info.kind === 'critic';
  agree(info.kind !== 'generator' || info.latent !== undefined, 'a generator needs latent');
  agree(!scoring || info.scores !== undefined, `a ${info.kind} needs scores`);
  agree(
    condition?.names === undefined || condition.names.length === condition.classes,
    'condition.names should be as many as condition.classes',
  );
  const fragmentSide = fragment && fragment.internal + 2 * fragment.frame;
  agree(
    fragmentSide === undefined || (image.height === fragmentSide && image.width === fragmentSide),
    `image should be a fragment of side ${fragmentSide}`,
  );
  return info;
}

/**
 * What an ONNX file says of itself.
 *
 * @param label what to call the file in an error
 * @throws UserError where the bytes are no whole ONNX file, or do not say it, or say it wrongly
 */
export function readModelInfo(bytes: Uint8Array, label = 'The model'): ModelInfo {
  const json = metadataOf(bytes, label)[METADATA_KEY];
  if (json === undefined) {
    throw new UserError(
      `${label} does not say what its inputs and outputs mean (it has no metadata entry ` +
        `"${METADATA_KEY}"): export it with gpn-cli export.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UserError(`${label} has a metadata entry "${METADATA_KEY}" that is not JSON.`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > METADATA_VERSION) {
    throw new UserError(
      `${label} was written for a later version (metadata ${version}, known ${METADATA_VERSION}): ` +
        'update @gpn/runtime.',
    );
  }
  try {
    return check(value);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new UserError(`${label} describes itself wrongly: ${error.message}.`);
  }
}

/**
 * The same ONNX file with this description of itself.
 *
 * @throws Error where the description is not valid
 */
export const withModelInfo = (bytes: Uint8Array, info: ModelInfo): Uint8Array =>
  withMetadata(bytes, METADATA_KEY, JSON.stringify(check(info)));
