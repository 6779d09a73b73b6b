/** A recipe of a detector that fits a folder of normal pictures, as commented YAML. */
import { basename, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { stringify } from 'yaml';
import type { FolderSurvey } from '../data/pictures/index.js';
import { FEWEST_NORMAL } from './keys/values.js';
import type { Wishes } from './suggest.js';

/** A trained detector that a training can start from; its network is `gpn-deep`. */
export interface TrainedDetector {
  /** Its file, relative to where the recipe will be, or its bundled name. */
  readonly from: string;
  /** Its number of first maps. */
  readonly width: number;
  /** The sides of its fragments' parts, in pixels. */
  readonly internal: number;
  readonly frame: number;
  readonly channels: 1 | 3;
}

/** What can be wished of a recipe of a detector. */
export interface DetectorWishes extends Wishes {
  readonly trained?: TrainedDetector | undefined;
}

/** The side of the squares that are cut out of the pictures, and of the least; both multiples of `UNIT` pixels. */
const [SIDE, LEAST_SIDE] = [96, 16];
/** What the strides of the networks divide sides by. */
const UNIT = 4;
/** Squares in all: enough that small folders are seen from many places, and that large ones fit into memory. */
const [FEWEST_SQUARES, MOST_SQUARES] = [2000, 16_000];
/** Steps, and the detector's learning rate: from drawn weights, and from those of a trained detector. */
const DRAWN = { steps: 6000, rate: '3.0e-3' } as const;
const TRAINED = { steps: 2000, rate: '4.0e-4' } as const;
/** The width of a network whose weights are drawn, and its fragments. */
const NETWORK = { width: 16, internal: 4, frame: 18 } as const;
/** Pictures of a training at least. */
const FEWEST = 16;
/** Pictures that a threshold of 0.01 needs to be calibrated with, and more than which add little. */
const [HUNDREDTH, MOST] = [99, 1000];

/**
 * How many pictures are held out to calibrate the detector with: a quarter, but enough for a threshold of
 * 0.01 where that leaves a third, and always the fewest that a training needs.
 */
const heldOutOf = (count: number): number =>
  Math.min(
    Math.max(HUNDREDTH, Math.min(MOST, Math.floor(count / 4))),
    Math.floor((2 * count) / 3),
    count - FEWEST,
  );

/** Pixels of a patch for each of its altered regions: with the most of them a quarter is altered. */
const PER_REGION = 533;

/** From so many pixels on, pictures are so large that a map of every pixel would take minutes. */
const STRIDES = [
  [1000, 4],
  [500, 2],
  [0, 1],
] as const;

/**
 * A recipe of a detector for the training part of a folder of normal pictures.
 *
 * @param path of the folder, relative to where the recipe will be
 * @throws UserError if there are fewer than 16 pictures to train with and 19 to calibrate with, a wish is one
 *   that no detector has, or the wished size is no multiple of 4
 */
export function suggestDetector(
  survey: FolderSurvey,
  path: string,
  wishes: DetectorWishes = {},
): string {
  const { folder, parts, modes, medianSide } = survey;
  const [all, test] = [parts[0]?.count ?? 0, parts.find(({ name }) => name !== 'train')?.count];
  const held = test === undefined ? heldOutOf(all) : undefined;
  const count = all - (held ?? 0);
  if (count < FEWEST || (held ?? test ?? 0) < FEWEST_NORMAL) {
    throw new UserError(
      `${folder} has ${all} normal pictures${test === undefined ? '' : ` to train with and ${test} to test with`}: a detector needs at least ${FEWEST} to train with and ${FEWEST_NORMAL} to be calibrated with, 99 for a threshold of 0.01.`,
    );
  }
  if (wishes.labels || wishes.network || wishes.channels === 4) {
    throw new UserError(
      'A detector has no labels, a network of its own and no alpha: leave --labels, --network and --channels 4 out.',
    );
  }
  const fitting = Math.max(LEAST_SIDE, UNIT * Math.floor(medianSide / UNIT));
  const { trained, seed = 0 } = wishes;
  const { rate, ...usual } = trained ? TRAINED : DRAWN;
  const { size = Math.min(SIDE, fitting), steps = usual.steps } = wishes;
  const { width, internal: middle, frame } = trained ?? NETWORK;
  if (size % UNIT !== 0) {
    throw new UserError(
      `The size of a detector's squares must be a multiple of ${UNIT}, found ${size}.`,
    );
  }
  const internal = UNIT * Math.ceil(Math.min(SIDE, size) / 5); // of a patch: a fifth is frame alone
  const coloured = (modes.colour ?? 0) + (modes['colour and transparent'] ?? 0) > 0;
  const { channels = trained?.channels ?? (coloured ? 3 : 1) } = wishes;
  if (trained && channels !== trained.channels) {
    throw new UserError(
      `${trained.from} has ${trained.channels} channels, so its recipe cannot have ${channels}: leave --channels out.`,
    );
  }
  const squares = Math.max(FEWEST_SQUARES, Math.min(4 * count, MOST_SQUARES));
  const stride = STRIDES.find(([side]) => medianSide >= side)?.[1] ?? 1;
  const line = (key: string, value: unknown) => stringify({ [key]: value }).trimEnd();
  const name = basename(resolve(folder))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 50);
  const every = Math.max(1, Math.round(steps / 10));
  return `# Made by gpn-cli new --detector for ${all} normal pictures. Every key: docs/reference/recipe.md.

${line('name', `${/^[A-Za-z0-9]/.test(name) ? name : `my${name}`}-detector`)}

data:
  # The folder, relative to this file.
  ${line('dataset', path)}
  # Squares that are cut out of the pictures, which are not scaled: so many of each.
  height: ${size}
  width: ${size}
  crops: ${Math.ceil(squares / count)}
  ${
    held === undefined
      ? `# Its ${test} test pictures calibrate the detector.`
      : `# So many pictures are not trained with, and calibrate the detector.\n  held_out: ${held}`
  }
  channels: ${channels} # 1 grey, 3 colour
  range: [0, 1]

model:
  # It sees the differences of pixels from those around them, too; width is its number of first maps.
  network: gpn-deep
  width: ${width}
  latent:
    size: 16
    distribution: uniform
  # The score says whether ${middle} × ${middle} pixels belong wholly to something else; the frame is what they are judged by.
  fragment:
    internal: ${middle}
    frame: ${frame}
    # A map has a score every so many pixels: twice as many take a quarter of the time.
    stride: ${stride}
${
  trained
    ? `  # A trained detector, whose batch normalisation is in its weights.
  ${line('from', trained.from)}
`
    : ''
}  spectral_norm: false
  batch_norm: ${!trained}
  initialization: kaiming

training:
  method: predictive
  predictive:
    detector: true
    # What it is to find, and how often each is shown: more of what is hard to find.
    negatives:
      mismatch: 1
      copy: 2
      gaussian: 0.5
      resample: 2
      grain: 0.5
      color: 0.5
      jpeg: 0.5
    region:
      smallest: 6
      largest: 16
      smooth: 0.2
      beside: 1
    # All fragments of a patch are judged at once, up to so many regions of it altered.
    patches:
      internal: ${internal}
      regions: ${Math.max(1, Math.round(internal ** 2 / PER_REGION))}
      turned: false # true if pictures have no up and down, as textures
    inverse: false
    fragments_per_image: 1
    # For a generator, which train --stage generator would add.
    generator_fragments: 30
    generator_batches: 1000
    generator_loss: modified
    rounds: 1
  batch_size: 6
  steps: ${steps}
  seed: ${seed}
  optimizer:
    type: adam
    generator_lr: 5.0e-4
    discriminator_lr: ${rate}
    beta1: 0.9
    beta2: 0.999
  schedule:
    type: cosine
    factor: 0.02

output:
  samples_every: ${every}
  checkpoint_every: ${every}
  sample_count: 16
`;
}
