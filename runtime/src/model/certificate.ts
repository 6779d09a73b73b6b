/**
 * The parity certificate: golden values that tell whether a platform computes a model as the one
 * that exported it did.
 *
 * Inputs: for a generator, those of `sample({ count, seed })`; for the others `count` images from
 * the stream `(seed, 'certificate')`, uniform over the image range, and class k mod classes for
 * image k. Values: the output's elements, flat, at `stream(seed, 'certificate', 'positions')`,
 * whole numbers below the output's size.
 */

import { UserError } from '../errors.js';
import { imageShape } from '../format/images.js';
import type { Certificate, ModelInfo } from '../format/model-info.js';
import { stream } from '../random/random.js';
import { type Feed, type Network, runBatches } from '../session/batches.js';
import type { Session } from '../session/ort-session.js';
import { generatorFeeds, oneHot } from './inputs.js';

const VALUES = 64;
const TOLERANCE: Certificate['tolerance'] = { cpu: 1e-5, cuda: 1e-4, wasm: 1e-5, webgpu: 1e-4 };

export interface Verification {
  ok: boolean;
  /** The largest difference of a value, the mean or the rms, in units of max(1, rms). */
  difference: number;
  /** What the certificate allows on this device. */
  tolerance: number;
  device: Session['device'];
}

/** Inputs that any model can be tried on: those of the certificate. */
export function feedsOf(info: ModelInfo, count: number, seed: number): Feed[] {
  if (info.kind === 'generator') return generatorFeeds(info, count, { seed });
  const shape = imageShape(info);
  const size = shape.reduce((a, b) => a * b, count);
  const data = stream(seed, 'certificate').uniform(size, ...info.image.range);
  const feeds: Feed[] = [{ name: info.input, shape, data }];
  const { condition } = info;
  if (condition !== undefined) {
    const labels = Array.from({ length: count }, (_, k) => k % condition.classes);
    feeds.push(oneHot(info, labels, count));
  }
  return feeds;
}

/** The shape of one item of the main output: features are as many as the file's output says. */
export function itemShapeOf({ session, info }: Network): number[] {
  if (info.kind === 'generator') return imageShape(info);
  if (info.kind !== 'features') return [1];
  const shape = session.outputs.find(({ name }) => name === info.output)?.shape ?? [];
  return shape.slice(1).map(Number);
}

async function measure(network: Network, count: number, seed: number, values: number) {
  const { info } = network;
  const itemShape = itemShapeOf(network);
  const feeds = feedsOf(info, count, seed);
  const output = await runBatches(network, feeds, itemShape, count);
  const positions = stream(seed, 'certificate', 'positions').below(values, output.length);
  let sum = 0;
  let squares = 0;
  for (const value of output) {
    sum += value;
    squares += value * value;
  }
  return {
    values: Array.from(positions, (at) => output[at] as number),
    mean: sum / output.length,
    rms: Math.sqrt(squares / output.length),
  };
}

/**
 * A certificate of what this session computes.
 *
 * @throws UserError where the model fails, or computes what is not a number
 */
export async function makeCertificate(
  session: Session,
  info: ModelInfo,
  { seed = 0, count = 8, tolerance = TOLERANCE }: Partial<Certificate> = {},
): Promise<Certificate> {
  const measured = await measure({ session, info, label: info.name }, count, seed, VALUES);
  if (!Number.isFinite(measured.rms)) {
    throw new UserError(`${info.name} computes values that are not finite: it cannot be used.`);
  }
  return { seed, count, ...measured, tolerance };
}

/**
 * Computes the certificate's values again and compares.
 *
 * @throws UserError where the model carries no certificate
 */
export async function verifyCertificate(network: Network): Promise<Verification> {
  const { certificate } = network.info;
  if (certificate === undefined) {
    throw new UserError(`${network.label} carries no certificate to check: export it again.`);
  }
  const { seed, count, values } = certificate;
  const measured = await measure(network, count, seed, values.length);
  const golden = [...values, certificate.mean, certificate.rms];
  const found = [...measured.values, measured.mean, measured.rms];
  const scale = Math.max(1, certificate.rms);
  // NaN compares as unequal, whatever stands beside it.
  const differences = golden.map((value, i) => Math.abs(value - (found[i] as number)) / scale);
  const difference = differences.some(Number.isNaN) ? Number.NaN : Math.max(...differences);
  const { device } = network.session;
  const tolerance = certificate.tolerance[device];
  return { ok: difference <= tolerance, difference, tolerance, device };
}
