/** What must be alike for two results to be comparable. */
import { createHash } from 'node:crypto';
import type { FeaturesIdentity } from '../judge/extractor.js';

export interface Protocol {
  readonly version: 1;
  readonly data: {
    readonly name: string;
    /** Of the real images that generated ones are compared with. */
    readonly hash: string;
    readonly count: number;
    /** Where they are from. */
    readonly part: 'test' | 'half';
  };
  readonly features: FeaturesIdentity;
  /** Generated images for each seed, rounded to 8 bits. */
  readonly samples: number;
  /** The value that counts is the median over these. */
  readonly seeds: readonly number[];
  /** k of the neighbour metrics. */
  readonly neighbours: number;
  /** Images of each set in a block of the kernel distance. */
  readonly kernelBlock: number;
  /** Images that are compared pixel by pixel with each other and with the training images. */
  readonly compared: number;
  readonly random: string;
}

/** What is fixed for all. */
export const FIXED = {
  version: 1,
  neighbours: 5,
  kernelBlock: 1000,
  compared: 1000,
  random: 'threefry2x32-20',
} as const;

/** Every value of a protocol by its path: `features.sha256`. */
function leaves(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** SHA-256, hex, of the protocol's values in the order of their names. */
export const protocolHash = (protocol: Protocol): string =>
  createHash('sha256')
    .update(JSON.stringify(leaves(protocol).sort()))
    .digest('hex');

/** Which values of two protocols differ: `samples (10000, 500)`. */
export function protocolDifferences(a: Protocol, b: Protocol): string[] {
  const [ofA, ofB] = [new Map(leaves(a)), new Map(leaves(b))];
  const paths = [...new Set([...ofA.keys(), ...ofB.keys()])].sort();
  return paths
    .filter((path) => ofA.get(path) !== ofB.get(path))
    .map((path) => `${path} (${ofA.get(path) ?? 'none'}, ${ofB.get(path) ?? 'none'})`);
}

/** The protocol in a line, for a person. */
export const protocolText = ({ data, features, samples, seeds, neighbours }: Protocol): string =>
  `${samples.toLocaleString('en')} images of ${seeds.length > 1 ? 'each of the seeds' : 'seed'} ${seeds.join(', ')} against ` +
  `${data.count.toLocaleString('en')} of ${data.name} (${data.part === 'test' ? 'its test set' : 'a half of it'}), ` +
  `${features.size} features of ${features.name}, k = ${neighbours}`;
