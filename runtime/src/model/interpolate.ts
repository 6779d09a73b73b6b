/** Paths from one latent vector to another. */
import { UserError } from '../errors.js';
import type { Distribution, ModelInfo } from '../format/model-info.js';
import { codesOf, latents } from './inputs.js';

const MAX_STEPS = 100_000;

/**
 * The inputs of `steps` images on a path from the first image of one seed to that of another,
 * including both ends. Normal latents follow a great circle, whose points are as likely as its ends
 * (Shoemake 1985; White 2016, arXiv:1609.04468); uniform latents and codes follow a straight line.
 * The numbers are the same on every platform.
 *
 * @param steps from 2 to 100,000
 * @returns `latents` [steps, size] and, if the model takes them, `codes` [steps, size]
 * @throws UserError if `steps` is out of range or the model is not a generator
 */
export function pathOf(
  info: ModelInfo,
  from: number,
  to: number,
  steps: number,
): { latents: Float32Array; codes?: Float32Array } {
  if (!Number.isInteger(steps) || steps < 2 || steps > MAX_STEPS) {
    throw new UserError(`A path takes 2 to ${MAX_STEPS} steps, not ${steps}.`);
  }
  const { codes, latent } = info;
  return {
    latents: walk(
      latents(info, 1, from),
      latents(info, 1, to),
      steps,
      WAYS[latent?.distribution ?? 'uniform'],
    ),
    ...(codes && {
      codes: walk(codesOf(info, 1, from), codesOf(info, 1, to), steps, linear),
    }),
  };
}

/**
 * Latents between each row of `a` (t = 0) and the same row of `b` (t = 1), both [count, size]. They
 * follow a great circle or a straight line, as in {@link pathOf}.
 */
export function blend(info: ModelInfo, a: Float32Array, b: Float32Array, t: number): Float32Array {
  const { size, distribution } = info.latent as NonNullable<ModelInfo['latent']>;
  const way = WAYS[distribution];
  const mixed = new Float32Array(a.length);
  for (let from = 0; from < a.length; from += size) {
    const [rowA, rowB] = [a.subarray(from, from + size), b.subarray(from, from + size)];
    mix(rowA, rowB, way(rowA, rowB)(t), mixed.subarray(from, from + size));
  }
  return mixed;
}

/** Gives the weights of both ends at t in [0, 1]. */
type Way = (a: Float32Array, b: Float32Array) => (t: number) => readonly [number, number];

function walk(a: Float32Array, b: Float32Array, steps: number, way: Way): Float32Array {
  const points = new Float32Array(steps * a.length);
  const at = way(a, b);
  for (let k = 0; k < steps; k++) {
    mix(a, b, at(k / (steps - 1)), points.subarray(k * a.length, (k + 1) * a.length));
  }
  return points;
}

function mix(
  a: Float32Array,
  b: Float32Array,
  [ofA, ofB]: readonly [number, number],
  out: Float32Array,
): void {
  for (let i = 0; i < a.length; i++) out[i] = ofA * (a[i] as number) + ofB * (b[i] as number);
}

const linear: Way = () => (t) => [1 - t, t];

const spherical: Way = (a, b) => {
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = arccos(Math.max(-1, Math.min(1, cosine)));
  // For nearly parallel or opposite vectors the circle is not determined; a line will do.
  if (!(angle > 1e-6 && angle < PI - 1e-6)) return linear(a, b);
  return (t) => [sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle)];
};

const WAYS: Record<Distribution, Way> = { uniform: linear, normal: spherical };

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

// Engines differ in the last bits of Math.sin and Math.acos, so these use only + - * /.
const { PI } = Math;

/** A power series: each term is the previous one times -x² / (n (n + 1)), n = first, first + 2, … */
function series(x: number, term: number, first: number): number {
  let sum = term;
  for (let n = first; n < first + 36; n += 2) {
    term *= (-x * x) / (n * (n + 1));
    sum += term;
  }
  return sum;
}

// Both for [0, π], accurate to about 1e-15.
const sin = (x: number): number => series(x, x, 2);
const cos = (x: number): number => series(x, 1, 1);

/** By bisection, because the cosine decreases from 0 to π. */
function arccos(cosine: number): number {
  let [low, high] = [0, PI];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (cos(middle) > cosine) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
