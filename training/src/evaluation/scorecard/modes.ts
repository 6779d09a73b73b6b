/** The modes of Stacked MNIST: which three digits an image shows, by the judge of MNIST. */
import { classHistogram } from '../../data/format/labels.js';
import { DIGITS } from '../../data/sets/stacked-mnist.js';
import type { Pictures } from '../../data/types.js';
import type { Extractor } from '../judge/extractor.js';
import { extractorFor } from '../judge/judges.js';
import { classesOf, divergence } from '../metrics/verdicts.js';
import type { ModesProtocol } from './protocol.js';

/** Reads the modes of images. */
export interface ModeReader {
  readonly protocol: ModesProtocol;
  read(pictures: Pictures): Promise<Uint32Array>;
  dispose(): Promise<void>;
}

/** The reader of a data set that has modes; undefined for others. */
export async function openModes(
  spec: string,
  options: { threads?: number } = {},
): Promise<ModeReader | undefined> {
  if (spec !== 'stacked-mnist') return undefined;
  const judge = await extractorFor('mnist', undefined, options);
  const classes = judge.classes as number;
  return {
    protocol: { count: classes ** DIGITS, judge: judge.identity },
    read: (pictures) => modesOf(pictures, judge, classes),
    dispose: () => judge.dispose(),
  };
}

/** The digits of the channels as one number: those of a 3, a 0 and a 7 make 307. */
async function modesOf(pictures: Pictures, judge: Extractor, classes: number) {
  const modes = new Uint32Array(pictures.count);
  for (let channel = 0; channel < pictures.channels; channel++) {
    const { logits } = await judge.extract(channelOf(pictures, channel));
    if (!logits) throw new Error('the judge of MNIST is no classifier');
    classesOf(logits).forEach((digit, k) => {
      modes[k] = (modes[k] as number) * classes + digit;
    });
  }
  return modes;
}

/** One channel of images, as grey ones. */
function channelOf(pictures: Pictures, channel: number): Pictures {
  const { count, height, width, channels, images } = pictures;
  const grey = Uint8Array.from(
    { length: count * height * width },
    (_, k) => images[k * channels + channel] as number,
  );
  return { count, height, width, channels: 1, images: grey };
}

/**
 * How many modes are there, and the divergence of their shares from equal ones, in nats: the two
 * measures of Metz et al. (2017). Both depend on the number of images: of n images, at most n modes.
 */
export function modeScores(modes: Uint32Array, count: number) {
  const shares = classHistogram(modes, count);
  const equal = new Float64Array(count).fill(1 / count);
  return {
    modes: { value: shares.filter((share) => share > 0).length },
    modeDivergence: { value: divergence(shares, equal) },
  };
}
