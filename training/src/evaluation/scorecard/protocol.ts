/** The protocol of an evaluation; results are comparable only if their protocols are equal. */
import { createHash } from 'node:crypto';
import type { FeaturesIdentity } from '../judge/extractor.js';
import type { SlicedSettings } from '../metrics/sliced.js';

/** How modes are read. */
export interface ModesProtocol {
  /** How many there are. */
  readonly count: number;
  /** The classifier of each channel. */
  readonly judge: FeaturesIdentity;
}

/**
 * What real images generated ones are compared with: the test set, or one half of data without a test
 * set, the other half being measured as "real". In results of versions up to 0.3.0, `half` is a half
 * of data that was measured as "real" as a whole.
 */
export const PARTS = ['test', 'half', 'halves'] as const;
/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** All that determines a result apart from the generator. */
export interface Protocol {
  readonly version: 1;
  readonly data: {
    readonly name: string;
    /** Hash of the real images that generated ones are compared with. */
    readonly hash: string;
    readonly count: number;
    /** What those are. */
    readonly part: Part;
  };
  /** Missing if nothing is measured by features. */
  readonly features?: FeaturesIdentity;
  /** Of data whose modes are counted. */
  readonly modes?: ModesProtocol;
  /** Of the sliced Wasserstein distance, if it is measured. */
  readonly sliced?: SlicedSettings;
  /**
   * Which classes conditional generators are asked for: as often as the training images have them. Missing
   * for named data and data without classes, and in results older than this key: in turn.
   */
  readonly labels?: 'as in the data';
  /** Number of generated images for each seed; their pixels are rounded to 8 bits. */
  readonly samples: number;
  /** The value of a measure is the median over these seeds. */
  readonly seeds: readonly number[];
  /** k of the neighbour metrics. */
  readonly neighbours: number;
  /** Images of each set in a block of the kernel distance. */
  readonly kernelBlock: number;
  /** Number of images that are compared by pixels with one another and with the training images. */
  readonly compared: number;
  /** The random number generator. */
  readonly random: string;
}

/** The parts of the protocol that are always the same. */
export const FIXED = {
  version: 1,
  neighbours: 5,
  kernelBlock: 1000,
  compared: 1000,
  random: 'threefry2x32-20',
} as const;

/** All values of a protocol by path: `features.sha256`. */
function leaves(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** SHA-256, in hex, of the protocol's values, sorted by path. */
export const protocolHash = (protocol: Protocol): string =>
  createHash('sha256')
    .update(JSON.stringify(leaves(protocol).sort()))
    .digest('hex');

/** The values in which two protocols differ: `samples (10000, 500)`. */
export function protocolDifferences(a: Protocol, b: Protocol): string[] {
  const [ofA, ofB] = [new Map(leaves(a)), new Map(leaves(b))];
  const paths = [...new Set([...ofA.keys(), ...ofB.keys()])].sort();
  return paths
    .filter((path) => ofA.get(path) !== ofB.get(path))
    .map((path) => `${path} (${ofA.get(path) ?? 'none'}, ${ofB.get(path) ?? 'none'})`);
}

const PART_TEXTS: Readonly<Record<Part, string>> = {
  test: 'its test set',
  half: 'a half of it',
  halves: 'one half of it',
};

const featuresText = ({ features, neighbours }: Protocol): string =>
  features
    ? `${features.size} features of ${features.name}, k = ${neighbours}`
    : 'without features';

/** The protocol in one sentence. */
export const protocolText = (protocol: Protocol): string => {
  const { data, samples, seeds, sliced, modes } = protocol;
  return (
    `${samples.toLocaleString('en')} images of ${seeds.length > 1 ? 'each of the seeds' : 'seed'} ${seeds.join(', ')} against ` +
    `${data.count.toLocaleString('en')} of ${data.name} (${PART_TEXTS[data.part]}), ` +
    `${featuresText(protocol)}` +
    (modes ? `, ${modes.count.toLocaleString('en')} modes by ${modes.judge.name}` : '') +
    (sliced ? `, patches of ${sliced.pictures.toLocaleString('en')} images at most` : '')
  );
};
