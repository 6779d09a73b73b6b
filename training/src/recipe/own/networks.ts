/** Networks that are not bundled: from a file that a recipe names, or from a program. */
import { NETWORKS, type NetworkOptions, type Pair } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import { digest } from '@gpn/runtime/write';
import { load as loadCode, read } from '#host';
import { pairOf } from './pair.js';
import { blamed } from './sentences.js';

/** Makes a generator and its discriminator for the options of a recipe. */
export type MakePair = (options: NetworkOptions) => Pair;

/** The part of a recipe that says which networks it trains. */
interface Named {
  readonly network: string;
  /** SHA-256 of the network's file, in hex. */
  readonly network_sha256?: string | undefined;
}

/** Whether a recipe's network is a file, and not a name. */
export const isFile = (network: string): boolean => /[/\\]|\.[cm]?js$/.test(network);

const defined = new Map<string, MakePair>();

/**
 * Gives networks of a program's own a name, for recipes of the same program.
 * @param name for the key `model.network`
 * @param networks `{ generator, discriminator }`, or a function of the options of a recipe that makes
 *   them
 * @throws UserError if the name is that of bundled networks, or of a file
 */
export function defineNetworks(name: string, networks: unknown): void {
  if (NETWORKS[name] || isFile(name)) {
    throw new UserError(`Networks of your own cannot have the name ${name}: take another.`);
  }
  defined.set(name, (options) => pairOf(networks, options, `The networks ${name}`));
}

/** Whether a name is that of bundled networks or of a program's own. */
export const isKnown = (network: string): boolean =>
  isFile(network) || network in NETWORKS || defined.has(network);

/** Whether networks are a program's own, which another thread does not know. */
export const isDefined = (network: string): boolean => defined.has(network);

/** Whether networks are not bundled. */
export const isOwn = (network: string): boolean => isFile(network) || isDefined(network);

/** Files that this process has loaded, each with what it was then. */
const loaded = new Map<string, { readonly sha256: string; readonly networks: unknown }>();

/**
 * The SHA-256 of a network's file, in hex.
 * @throws UserError if it cannot be read, or is another file than the recipe says
 */
export function hashOf({ network: path, network_sha256: wanted }: Named): string {
  const sha256 = digest(read(path));
  if (wanted !== undefined && wanted !== sha256) {
    throw new UserError(
      `${path} is not the file that the recipe or the run was started with (its SHA-256 is ${sha256.slice(0, 12)}…, not ${wanted.slice(0, 12)}…): put that one back, or start a new training in another --out.`,
    );
  }
  const before = loaded.get(path);
  if (before && before.sha256 !== sha256) {
    throw new UserError(`${path} has changed since this program loaded it: start it again.`);
  }
  return sha256;
}

/**
 * How to make the networks of a recipe. A file is compared with its SHA-256 first, and then its code
 * runs.
 * @throws UserError if it cannot be loaded
 */
export function makerOf(model: Named): MakePair {
  const { network } = model;
  const known = NETWORKS[network] ?? defined.get(network);
  if (known) return known;
  if (!isFile(network)) throw new UserError(`There are no networks ${network} in this program.`);
  const sha256 = hashOf(model);
  const { networks } = loaded.get(network) ?? { networks: load(network) };
  loaded.set(network, { sha256, networks });
  return (options) => pairOf(networks, options, network);
}

/** Code that Node does not take in at once. */
const ASYNCHRONOUS = 'ERR_REQUIRE_ASYNC_MODULE';

/** What a module exports: its default, or `generator` and `discriminator`. */
function load(path: string): unknown {
  try {
    // Recipes are read at once, and so is the code that they name.
    const exported = loadCode(path) as object;
    return 'default' in exported ? exported.default : exported;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === ASYNCHRONOUS) {
      throw new UserError(
        `${path} waits for something as it is loaded (await at its top level), which a network cannot.`,
      );
    }
    throw blamed(path, 'cannot be loaded', error);
  }
}
