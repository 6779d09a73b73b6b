/** A model file's description of itself: the JSON entry `gpn` of its ONNX metadata. */

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
  triple,
  whole,
} from './checks.js';
import { metadataOf, withMetadata } from './onnx/metadata.js';
import type { Preparation } from './pictures/prepare.js';

/** The key of the metadata entry that describes a model. */
export const METADATA_KEY = 'gpn';
/** 2 is for what a runtime that knows 1 alone would get wrong: fragments of several scales. */
const VERSIONS = [1, 2] as const;

/** All kinds of models; `features` is a feature extractor, which may classify too. */
export const KINDS = ['generator', 'discriminator', 'critic', 'features'] as const;
/** The kind of a model. */
export type Kind = (typeof KINDS)[number];

/** The distribution of latents: uniform on (-1, 1), or standard normal. */
export type Distribution = 'uniform' | 'normal';

/**
 * What a score means: `logit`, whose sigmoid is the probability of "real"; `probability` of "real";
 * `critic`, a value without a unit, larger for real; `energy`, smaller for real.
 */
export type ScoreMeaning = 'logit' | 'probability' | 'critic' | 'energy';

/** A model's images: float32 of the shape [N, height, width, channels], with values in `range`. */
export interface ImageInfo {
  height: number;
  width: number;
  channels: number;
  range: [low: number, high: number];
  layout: 'NHWC';
  /** `rgba`: colours that are not multiplied by alpha, which is last. */
  color: 'gray' | 'rgb' | 'rgba';
  /** How pictures became the images that the model was trained with; `PREPARATION` unless given. */
  preparation?: Preparation;
}

/** How a model was trained. */
export interface TrainingInfo {
  /** SHA-256 of the recipe, in hexadecimal. */
  recipe: string;
  dataset: { name: string; hash: string };
  steps: number;
  epochs: number;
  seed: number;
  /** By what the learning rates were multiplied after which step, beside what the recipe says. */
  learning_rate_scales?: { step: number; factor: number }[];
  /** The versions of the software, by name. */
  versions: Record<string, string>;
}

/** A measured value and how it was measured. Values compare only under the same protocol. */
export interface QualityInfo {
  metric: string;
  value: number;
  protocol: string;
}

/**
 * Golden values that any platform can recompute. `certificate.ts`, which makes and checks them,
 * says what the inputs are and where in the output the values are.
 */
export interface Certificate {
  seed: number;
  /** The number of items: images drawn, scored or described by features. */
  count: number;
  values: number[];
  /** Mean and root mean square of the whole output. */
  mean: number;
  rms: number;
  /** The largest difference allowed on a device, in units of max(1, rms). */
  tolerance: { cpu: number; cuda: number; wasm: number; webgpu: number };
}

/**
 * How suspicious normal pictures are, or their fragments: the largest suspicions one by one, and some of
 * the others. Suspicion is the score of an energy, and minus the score of all others.
 */
export interface NullDistribution {
  /** The number of all that were measured. */
  count: number;
  /** From the largest down. */
  suspicions: number[];
  /** The number of those measured that are at least as large as each of the suspicions. */
  ranks: number[];
}

/** How a discriminator scores normal pictures: what p-values are made of. */
export interface Calibration {
  /** The normal pictures, their number, and the pixels of the median one. */
  data: { name: string; pictures: number; pixels: number };
  /** Scores of fragments; of whole pictures, if the model takes those. */
  parts: NullDistribution;
  /** Of a discriminator of fragments: the suspicion of the most suspicious pixel of each picture. */
  worst?: NullDistribution;
}

/** What a model file says about itself. */
export interface ModelInfo {
  version: (typeof VERSIONS)[number];
  name: string;
  kind: Kind;
  /** The main input: latents [N, size] of a generator, images of all other kinds. */
  input: string;
  /** The main output: images of a generator, scores [N, 1], or features [N, size]. */
  output: string;
  image: ImageInfo;
  /** Latents of a generator. */
  latent?: { size: number; distribution: Distribution };
  /** The class of a conditional model, fed as one-hot [N, classes]. */
  condition?: { input: string; classes: number; names?: string[] };
  /** Codes of a generator, fed as [N, size]. */
  codes?: { input: string; size: number; range: [low: number, high: number] };
  /** What the scores of a discriminator or critic mean. */
  scores?: ScoreMeaning;
  /** Output of a feature extractor that classifies too: logits [N, classes]. */
  classifier?: { output: string; classes: number; names?: string[] };
  /**
   * Of a discriminator that scores several images at once: how many. They lie in the channels of its
   * input, one behind the other; `image` is one of them.
   */
  packing?: number;
  /**
   * Of a discriminator of fragments, in pixels: the side of a fragment is internal + 2 · frame. From one
   * score of the dense form to the next it is `stride`, or 1. With `scales` it scores the picture as it is,
   * and reduced by each of the others: by the average of blocks of so many pixels a side.
   */
  fragment?: { internal: number; frame: number; stride?: number; scales?: number[] };
  training?: TrainingInfo;
  quality?: QualityInfo[];
  certificate?: Certificate;
  calibration?: Calibration;
}

// No honest model comes near these limits. They bound the memory that a hostile file can demand.
const size = whole(1, 65_536);
const side = whole(1, 16_384);
const name = text(200);

const checkFields: Check<ModelInfo> = object<ModelInfo>({
  version: oneOf(...VERSIONS),
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
    color: oneOf('gray', 'rgb', 'rgba'),
    preparation: optional(
      object<Preparation>({
        grey: oneOf('bt601'),
        fit: oneOf('cover', 'contain'),
        filter: oneOf('triangle'),
        background: triple(whole(0, 255)),
      }),
    ),
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
  packing: optional(whole(2, 1024)),
  fragment: optional(
    object<NonNullable<ModelInfo['fragment']>>({
      internal: side,
      frame: whole(0, 16_384),
      stride: optional(side),
      scales: optional(list(whole(1, 64), 16)),
    }),
  ),
  training: optional(
    object<TrainingInfo>({
      recipe: name,
      dataset: object({ name, hash: name }),
      steps: whole(0, Number.MAX_SAFE_INTEGER),
      epochs: nonNegative,
      seed: whole(0, Number.MAX_SAFE_INTEGER),
      learning_rate_scales: optional(
        list(object({ step: whole(0, Number.MAX_SAFE_INTEGER), factor: positive }), 10_000),
      ),
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
  // Pages that only draw do not load its checks: `checkedCalibration` makes them where it is used.
  calibration: (value) => value as Calibration | undefined,
});

/** The channels of each kind of colour. */
const CHANNELS = { gray: 1, rgb: 3, rgba: 4 };

/** Checks that all fields are valid and agree with one another. */
function validated(value: unknown): ModelInfo {
  const info = checkFields(value, '');
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
  agree(scoring || !info.packing, `a ${info.kind} has no packing`);
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
  // That they rise is checked where they are used.
  agree(!fragment?.scales === info.version < 2, 'fragment.scales is of version 2');
  return info;
}

/**
 * What an ONNX file says about itself.
 *
 * @param label what to call the file in an error
 * @throws UserError if the bytes are not a complete ONNX file or its description is missing or wrong
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
  const known = Math.max(...VERSIONS);
  if (typeof version === 'number' && version > known) {
    throw new UserError(
      `${label} was written for a later version (metadata ${version}, known ${known}): ` +
        'update @gpn/runtime.',
    );
  }
  try {
    return validated(value);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new UserError(`${label} has invalid metadata: ${error.message}.`);
  }
}

/**
 * The same ONNX file with this description of itself.
 *
 * @throws Error if the description is not valid
 */
export const withModelInfo = (bytes: Uint8Array, info: ModelInfo): Uint8Array =>
  withMetadata(bytes, METADATA_KEY, JSON.stringify(validated(info)));
