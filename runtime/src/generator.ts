import { checkSignature, type Network, runBatches } from './batches.js';
import { type Verification, verifyCertificate } from './certificate.js';
import type { Device } from './devices.js';
import { UserError } from './errors.js';
import { Images } from './images.js';
import { countOf, generatorFeeds, type SampleOptions } from './inputs.js';
import { type Kind, type ModelInfo, readModelInfo } from './model-info.js';
import { type OpenOptions, openSession } from './session.js';
import { readSource, type Source } from './source.js';

export type LoadOptions = Pick<OpenOptions, 'device' | 'threads'>;

/**
 * Opens a model file that is of one of these kinds.
 *
 * @throws UserError where there is no such file, it is of another kind or does not keep its word
 */
export async function loadNetwork(
  source: Source,
  kinds: readonly Kind[],
  options: LoadOptions,
): Promise<Network> {
  const { bytes, label } = await readSource(source);
  const info = readModelInfo(bytes, label);
  if (!kinds.includes(info.kind)) {
    throw new UserError(`${label} is a ${info.kind}: what is needed here is a ${kinds[0]}.`);
  }
  const session = await openSession(bytes, { ...options, label });
  const network = { session, info, label };
  try {
    checkSignature(network);
  } catch (error) {
    await session.dispose();
    throw error;
  }
  return network;
}

/** A trained generator: draws images. */
export class Generator {
  readonly #network: Network;

  private constructor(network: Network) {
    this.#network = network;
  }

  /**
   * @param source a path, a URL, bytes, or the name of a bundled model
   * @throws UserError where it cannot be loaded, in one sentence
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Generator> {
    return new Generator(await loadNetwork(source, ['generator'], options));
  }

  /** What the model says of itself. */
  get info(): ModelInfo {
    return this.#network.info;
  }

  get device(): Device {
    return this.#network.session.device;
  }

  /** Why this device was taken. */
  get reason(): string {
    return this.#network.session.reason;
  }

  /** Draws images. The same seed gives the same latents bit for bit, on every platform. */
  async sample(options: SampleOptions = {}): Promise<Images> {
    const { height, width, channels, range } = this.info.image;
    const count = countOf(this.info, options);
    const feeds = generatorFeeds(this.info, count, options);
    const shape = [height, width, channels];
    const data = await runBatches(this.#network, feeds, shape, count, options.batchSize);
    return new Images(count, height, width, channels, range, data);
  }

  /** Checks on this machine the values that the exporting machine computed. */
  verify(): Promise<Verification> {
    return verifyCertificate(this.#network);
  }

  /** Frees the model's memory. */
  dispose(): Promise<void> {
    return this.#network.session.dispose();
  }
}
