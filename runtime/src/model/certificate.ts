/**
 * The certificate of a model file: golden values that show whether a platform computes the model as
 * the exporting platform did. docs/reference/certificate.md defines it for other programs.
 */

import { UserError } from '../errors.js';
import { imageShape, inputShape } from '../format/images.js';
import type { Certificate, ModelInfo } from '../format/model-info.js';
import { stream } from '../random/random.js';
import { type Feed, type OpenModel, runBatches } from '../session/batches.js';
import type { Session } from '../session/ort-session.js';
import { product } from '../shape.js';
import { generatorFeeds, oneHot } from './inputs.js';

const VALUES = 64;
const TOLERANCE: Certificate['tolerance'] = { cpu: 1e-5, cuda: 1e-4, wasm: 1e-5, webgpu: 1e-4 };

/** How far this machine's results are from a model's certificate. */
export interface Verification {
  /** Whether the difference is within the tolerance. */
  ok: boolean;
  /**
   * The largest difference of a value, the mean or the root mean square (rms), in units of
   * max(1, rms); NaN if anything computed is not a number.
   */
  difference: number;
  /** The largest difference that the certificate allows on this device. */
  tolerance: number;
  device: Session['device'];
}

/** Inputs that suit any model: those of the certificate. */
export function certificateFeeds(info: ModelInfo, count: number, seed: number): Feed[] {
  if (info.kind === 'generator') return generatorFeeds(info, count, { seed });
  const shape = inputShape(info);
  const size = count * product(shape);
  const data = stream(seed, 'certificate').uniform(size, ...info.image.range);
  const feeds: Feed[] = [{ name: info.input, shape, data }];
  const { condition } = info;
  if (condition !== undefined) {
    const labels = Array.from({ length: count }, (_, k) => k % condition.classes);
    feeds.push(oneHot(info, labels, count));
  }
  return feeds;
}

/** The shape of one item of the main output. The number of features is read from the session. */
export function itemShapeOf({ session, info }: OpenModel): number[] {
  if (info.kind === 'generator') return imageShape(info);
  if (info.kind !== 'features') return [1];
  const shape = session.outputs.find(({ name }) => name === info.output)?.shape ?? [];
  return shape.slice(1).map(Number);
}

async function measure(model: OpenModel, count: number, seed: number, values: number) {
  const { info } = model;
  const itemShape = itemShapeOf(model);
  const feeds = certificateFeeds(info, count, seed);
  const output = await runBatches(model, feeds, itemShape, count);
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
 * Makes a certificate of what this session computes, on 8 items of seed 0 by default.
 *
 * @throws UserError if the model fails or computes values that are not finite
 */
export async function makeCertificate(
  session: Session,
  info: ModelInfo,
  { seed = 0, count = 8, tolerance = TOLERANCE }: Partial<Certificate> = {},
): Promise<Certificate> {
  const measured = await measure({ session, info, label: info.name }, count, seed, VALUES);
  if (!Number.isFinite(measured.rms)) {
    throw new UserError(`${info.name} computes values that are not finite, so it cannot be used.`);
  }
  return { seed, count, ...measured, tolerance };
}

/**
 * Computes the certificate's values again and compares them.
 *
 * @throws UserError if the model has no certificate, or fails
 */
export async function verifyCertificate(model: OpenModel): Promise<Verification> {
  const { certificate } = model.info;
  if (certificate === undefined) {
    throw new UserError(`${model.label} has no certificate to check: export it again.`);
  }
  const { seed, count, values } = certificate;
  const measured = await measure(model, count, seed, values.length);
  const golden = [...values, certificate.mean, certificate.rms];
  const found = [...measured.values, measured.mean, measured.rms];
  const scale = Math.max(1, certificate.rms);
  // A single NaN makes the verification fail.
  const differences = golden.map((value, i) => Math.abs(value - (found[i] as number)) / scale);
  const difference = differences.some(Number.isNaN) ? Number.NaN : Math.max(...differences);
  const { device } = model.session;
  const tolerance = certificate.tolerance[device];
  return { ok: difference <= tolerance, difference, tolerance, device };
}
