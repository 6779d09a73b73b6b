/** A recipe that fits a folder of pictures, as commented YAML. */
import { basename, resolve } from 'node:path';
import { SIDES } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import { stringify } from 'yaml';
import type { FolderSurvey } from '../data/pictures/index.js';
import { mostSteps } from './keys/length.js';

/** What a user may want otherwise than suggested. */
export interface Wishes {
  /** The side of the images in pixels: one of `SIDES` of @gpn/models. */
  readonly size?: number | undefined;
  /** 1 grey, 3 colour, 4 colour with transparency. */
  readonly channels?: 1 | 3 | 4 | undefined;
  /** Whether sub-folders are classes that both networks are told; yes unless they are too small. */
  readonly labels?: boolean | undefined;
  readonly network?: 'resnet' | 'dcgan' | undefined;
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
}

/** How a suggested recipe makes images of a folder's pictures. */
export const SUGGESTED_DATA = { fit: 'cover', background: '#ffffff' } as const;

/** The largest side that is suggested: a step takes four times as long at twice the side. */
const LARGEST = 32;
/** Images of a class below which labels are not suggested: with them those of small classes are worse. */
const SMALL_CLASS = 1000;
/** Pictures below which mirrored ones are suggested. */
const VERY_FEW = 1000;
/** Pictures that a plain training has not seen often enough before it knows them by heart. */
const FEW = 2000;
const BATCH = 64;
/** Pictures of a training at least: one is to see each of a batch. */
const FEWEST = 16;
const STEPS = 20_000;

/** What a family of networks trains well with. */
interface Family {
  /** Pictures below which augmentation is suggested. */
  readonly few: number;
  readonly model: string;
  readonly loss: string;
  /** From the optimizer on. */
  readonly rates: string;
}

const FAMILIES: Readonly<Record<NonNullable<Wishes['network']>, Family>> = {
  resnet: {
    few: 20_000,
    model: `\
  spectral_norm: false
  batch_norm: false
  initialization: kaiming
`,
    loss: `\
  # Each generated image is compared with a real one, and both penalties keep the discriminator's slopes
  # small, so that a training does not settle on a few images (Huang et al. 2024).
  loss: relativistic_pairs
  r1: 0.03
  r2: 0.03
`,
    rates: `\
  optimizer:
    type: adam
    generator_lr: 8.0e-4
    discriminator_lr: 8.0e-4
    beta1: 0
    beta2: 0.9
  # Over the steps the rates and penalties fall, and Adam's memory grows.
  schedule:
    type: cosine
    factor: 0.25
    penalty_factor: 0.1
    beta2: 0.99
`,
  },
  // The rates are those of docs/results/emoji.md, five times those of Radford et al.
  dcgan: {
    few: FEW,
    model: `\
  spectral_norm: false
  batch_norm: true
  initialization: normal
`,
    loss: `\
  loss: modified
`,
    rates: `\
  optimizer:
    type: adam
    generator_lr: 1.0e-3
    discriminator_lr: 1.0e-3
    beta1: 0.5
    beta2: 0.999
  # Over the steps the rates fall.
  schedule:
    type: cosine
    factor: 0.05
`,
  },
};

/**
 * A recipe for the training part of a folder.
 * @param path of the folder, relative to where the recipe will be
 * @throws UserError if there are fewer than 16 pictures, or the wished size is none of `SIDES`
 */
export function suggestRecipe(survey: FolderSurvey, path: string, wishes: Wishes = {}): string {
  const { folder, parts } = survey;
  const [part] = parts;
  const count = part?.count ?? 0;
  if (count < FEWEST) {
    throw new UserError(
      `${folder} has ${count} picture(s) to train with: a GAN needs at least ${FEWEST}, and learns variety from hundreds.`,
    );
  }
  const size = wishes.size ?? sideFor(survey);
  if (!SIDES.includes(size)) {
    throw new UserError(`The size must be one of ${SIDES.join(', ')}, found ${size}.`);
  }
  const { channels = channelsFor(survey), network = 'dcgan', seed = 0 } = wishes;
  const family = FAMILIES[network];
  const classes = part?.classes ?? [];
  const large = classes.length > 1 && classes.every((c) => c.count >= SMALL_CLASS);
  const labels = wishes.labels ?? large;
  if (labels && classes.length < 2) {
    throw new UserError(
      `${folder} has no sub-folders to be classes: a training without labels needs none.`,
    );
  }
  const batch = Math.min(BATCH, 2 ** Math.floor(Math.log2(count)));
  const most = mostSteps(count, batch);
  const augmented = count < family.few || (wishes.steps ?? 0) > most;
  const { steps = augmented ? STEPS : Math.min(STEPS, most) } = wishes;
  const every = (share: number) => Math.max(1, Math.round(steps / share));
  const line = (key: string, value: unknown) => stringify({ [key]: value }).trimEnd();
  const name = basename(resolve(folder))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 60);
  const on = (condition: boolean, ...lines: string[]): string =>
    condition ? lines.map((text) => `${text}\n`).join('') : '';
  return `# Made by gpn-cli new for ${count} pictures, of which half have a shorter side of ${survey.medianSide} pixels or more.
# Every key: docs/reference/recipe.md.

${line('name', /^[A-Za-z0-9]/.test(name) ? name : `my${name}`)}

data:
  # The folder, relative to this file.
  ${line('dataset', path)}
  # The side can be ${SIDES.slice(0, 9).join(', ')} and so on up to 256. Twice the side takes four times as long.
  height: ${size}
  width: ${size}
  channels: ${channels} # 1 grey, 3 colour, 4 colour with transparency
  range: [-1, 1]
  # cover: the middle of a picture of another shape; contain: all of it, on the background.
  fit: ${SUGGESTED_DATA.fit}
  background: '${SUGGESTED_DATA.background}' # behind transparent pictures, and around contained ones
  # Show half of the pictures mirrored. Wrong where left and right matter, as in writing.
  flip: ${count < VERY_FEW}
${on(survey.unreadable.length > 0, '  # Some pictures cannot be read: leave them out, and list them.', '  skip_unreadable: true')}
model:
  # dcgan: plain and quick (Radford et al. 2016); resnet: a network without normalisation, for hours of training.
  network: ${network}
  latent:
    size: 64
    distribution: normal
${on(labels, '  # The sub-folders are classes: gpn-cli sample --label NAME draws one of them.', `  classes: ${classes.length}`)}${family.model}
training:
${family.loss}${on(
  augmented,
  '  # The discriminator sees all images shifted, recoloured and cut into, so that it cannot learn',
  `  # ${count} pictures by heart (Zhao et al. 2020).`,
  `  augmentation: [${channels === 1 ? '' : 'color, '}translation, cutout]`,
)}  # The exported generator is a moving average, which is steadier, over at most a tenth of the steps.
  generator_average: 0.999
  average_ramp: 0.1
  batch_size: ${batch}
${on(!augmented && steps === most, `  # After more steps the discriminator would know ${count} pictures by heart, without augmentation.`)}  # gpn-cli train --minutes 60 takes as many steps as fit into an hour${augmented ? ' instead' : ', but no more than are good'}.
  steps: ${steps}
  seed: ${seed}
${family.rates}
output:
  samples_every: ${every(20)}
  checkpoint_every: ${every(20)}
  sample_count: 64
`;
}

/** The largest side that the pictures have and a processor can train in an hour or so. */
function sideFor({ medianSide }: FolderSurvey): number {
  const fitting = SIDES.filter((side) => side <= Math.min(medianSide, LARGEST));
  return fitting.at(-1) ?? (SIDES[0] as number);
}

/** Grey if no picture has colours. */
const channelsFor = ({ modes }: FolderSurvey): 1 | 3 =>
  (modes.colour ?? 0) + (modes['colour and transparent'] ?? 0) > 0 ? 3 : 1;
