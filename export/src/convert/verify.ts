import { ExportError } from '../error.js';
import type { Graph } from '../graph/graph.js';
import { sizeOf } from '../graph/shapes.js';
import type { Node, Value } from '../graph/value.js';
import type { TensorSpec } from '../trace/trace.js';
import type { ConvertedModel, HostTensor, HostTensors } from './convert.js';
import { FREE } from './input-shapes.js';

/** Runs the exported file with any engine: takes inputs by name, gives outputs by name. */
export type Runner = (inputs: HostTensors) => Promise<Readonly<Record<string, Computed>>>;

interface Computed {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** How closely an exported file and the original agree. */
export interface ModelVerification {
  /** max |ours − TF.js's| / max |TF.js's|, the largest of all outputs and batches. */
  readonly difference: number;
  /** The output it occurred in. */
  readonly output: string;
  readonly tolerance: number;
  /** If the tolerance was exceeded: how far TF.js's own output moves with its inputs' last bit. */
  readonly unrest?: number;
  /** The batch sizes that were run; empty if the model's sizes are all fixed. */
  readonly batches: readonly number[];
}

/** Largest relative differences allowed. Half precision keeps 11 bits of each weight. */
export const TOLERANCE = { float32: 1e-4, float16: 1e-2 };

/** An output that is smaller than this everywhere is compared as if it reached it: rounding alone
 *  moves a probability of 1e-4 by more than a ten-thousandth of itself. */
const SMALLEST = 1e-3;

/** How many times as far as TF.js's own result moves, when its inputs do, ours may be from it. */
const ROUNDING = 10;

/**
 * Compares the exported file with the original, run by TF.js, on inputs drawn from a seed. If the batch
 * is free, a batch of two is compared as well. TF.js computes by its backend in WebAssembly, if that
 * is installed and can run the model; a difference counts only if its cpu backend finds it as well.
 *
 * Some networks magnify rounding, on random inputs above all. If the tolerance is exceeded, the
 * original is run again on inputs that differ in their last bit, and what that changes is allowed
 * `ROUNDING` times over.
 *
 * @param run runs the bytes of `converted.model` by an ONNX engine
 * @param options `seed`, a whole number, 0 by default, that the inputs are drawn from
 * @returns the largest difference relative to the largest magnitude of an output
 * @throws ExportError if they differ by more than the tolerance: 1e-4, or 1e-2 with float16
 */
export async function verifyModel(
  converted: ConvertedModel,
  run: Runner,
  { seed = 0 }: { readonly seed?: number } = {},
): Promise<ModelVerification> {
  const by = (backend: 'cpu' | 'wasm'): ConvertedModel => ({
    ...converted,
    run: (inputs) => converted.run(inputs, backend),
  });
  const quick = await measure(by('wasm'), run, seed).catch(() => undefined);
  if (quick && quick.result.difference <= quick.result.tolerance) return quick.result;
  const { result, found, inputs, expected } = await measure(by('cpu'), run, seed);
  const { tolerance } = result;
  if (result.difference <= tolerance) return result;
  const unrest = differences(await converted.run(nudged(inputs)), expected);
  const wrong = Object.entries(found).filter(
    ([name, difference]) => !(difference <= Math.max(tolerance, ROUNDING * (unrest[name] ?? 0))),
  );
  if (wrong.length === 0) return { ...result, unrest: unrest[result.output] ?? 0 };
  const { difference, output } = worst(Object.fromEntries(wrong));
  throw new ExportError(
    `The exported model differs from TF.js by ${difference.toExponential(1)} of the largest value ` +
      `in its output "${output}", and ${tolerance} is allowed: please report the model, or ` +
      'leave out the comparison with --no-verify.',
  );
}

/** What a comparison found, per output and in all, and what it compared. */
interface Measurement {
  readonly result: ModelVerification;
  readonly found: Differences;
  readonly inputs: HostTensors;
  readonly expected: HostTensors;
}

async function measure(converted: ConvertedModel, run: Runner, seed: number): Promise<Measurement> {
  const tolerance = converted.float16 ? TOLERANCE.float16 : TOLERANCE.float32;
  const inputs = drawInputs(converted, seed);
  const expected = await converted.run(inputs);
  const alone = differences(await run(inputs), expected);
  const free = [...converted.inputs.values()].some(isFree);
  const first = { inputs, expected, seed, tolerance };
  const paired = free ? await comparePair(converted, run, first) : {};
  const resized = [...converted.inputs.values()].some(isResizable)
    ? await compareResized(converted, run, seed)
    : {};
  const found = Object.fromEntries(
    converted.outputs.map((name) => [
      name,
      Math.max(...[alone, paired, resized].map((all) => all[name] ?? 0)),
    ]),
  );
  const result = { ...worst(found), tolerance, batches: free ? [1, 2] : [] };
  return { result, found, inputs, expected };
}

/** The same record with each value replaced. */
const mapRecord = <T, U>(
  record: Readonly<Record<string, T>>,
  f: (value: T, name: string) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

/** Per output, how far it is from what is expected. */
type Differences = Readonly<Record<string, number>>;

function differences(
  actual: Readonly<Record<string, Computed>>,
  expected: HostTensors,
): Differences {
  return mapRecord(expected, (tensor, name) => compare(actual[name], tensor));
}

const worst = (all: Differences): { difference: number; output: string } =>
  Object.entries(all)
    .map(([output, difference]) => ({ output, difference }))
    .reduce((a, b) => (b.difference > a.difference ? b : a));

/** Every number moved to one of its neighbours, up and down in turns. */
const nudged = (inputs: HostTensors): HostTensors =>
  mapRecord(inputs, (t) =>
    t.dtype === 'float32' ? { ...t, data: (t.data as Float32Array).map(toNeighbour) } : t,
  );

const toNeighbour = (x: number, i: number): number => x * (1 + (i % 2 ? 1 : -1) * 2 ** -23);

/**
 * A batch of two. TF.js's cpu backend takes seconds an image, and most models treat each image by
 * itself, so the results for single images are what the two together should give. If they are not,
 * TF.js runs the two as well and decides.
 */
async function comparePair(
  converted: ConvertedModel,
  run: Runner,
  first: { inputs: HostTensors; expected: HostTensors; seed: number; tolerance: number },
): Promise<Differences> {
  const second = drawInputs(converted, first.seed + converted.inputs.size);
  const both = Object.fromEntries(
    [...converted.inputs].map(([name, spec]) => {
      const [x, y] = [first.inputs[name] as HostTensor, second[name] as HostTensor];
      return [name, isFree(spec) ? joined(x, y) : x];
    }),
  );
  const separate = await run({ ...first.inputs, ...pick(second, converted) });
  const actual = await run(both);
  const rows = mapRecord(first.expected, (x, name) => joined(x, separate[name] as Computed));
  const guess = differences(actual, rows);
  if (worst(guess).difference <= first.tolerance) return guess;
  return differences(actual, await converted.run(both));
}

/** The number in front of a dimension's name, such as 2 of `2N`. */
const multiple = (d: string): number => Number(/^\d+/.exec(d)?.[0] ?? 1);
const nameOf = (d: string): string => d.replace(/^\d+/, '');

const isFree = ({ shape }: TensorSpec): boolean =>
  shape.some((d) => typeof d === 'string' && nameOf(d) === FREE);

/** Whether a size is free that is not the batch's. */
const isResizable = ({ shape }: TensorSpec): boolean =>
  shape.some((d) => typeof d === 'string' && nameOf(d) !== FREE);

/** Sizes to compare at, for free ones that are not the batch's, in the order of their names. */
const SIDES = [64, 80, 48] as const;
const OTHER_SIDES = [40, 56, 72] as const;

/** Other sizes than the first. */
async function compareResized(
  converted: ConvertedModel,
  run: Runner,
  seed: number,
): Promise<Differences> {
  const inputs = drawInputs(converted, seed, OTHER_SIDES);
  return differences(await run(inputs), await converted.run(inputs));
}

/** Only what has a batch differs from image to image. */
const pick = (inputs: HostTensors, { inputs: specs }: ConvertedModel): HostTensors =>
  Object.fromEntries(
    Object.entries(inputs).filter(([name]) => isFree(specs.get(name) as TensorSpec)),
  );

/** Two tensors along their first axis. */
function joined(x: HostTensor, y: Computed): HostTensor {
  const data = x.data.slice(0, 0).constructor as new (n: number) => HostTensor['data'];
  const both = new data(x.data.length + y.data.length);
  both.set(x.data);
  both.set(Array.from(y.data, Number), x.data.length);
  const [batch = 1, ...rest] = x.shape;
  return { dtype: x.dtype, shape: [batch + (y.shape[0] ?? 1), ...rest], data: both };
}

/** The largest difference, relative to the largest magnitude expected; infinite for other shapes. */
export function compare(actual: Computed | undefined, expected: HostTensor): number {
  if (!actual || `${actual.shape}` !== `${expected.shape}`) return Number.POSITIVE_INFINITY;
  let largest = SMALLEST;
  let difference = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [x, y] = [Number(actual.data[i]), expected.data[i] as number];
    if (Number.isFinite(y)) largest = Math.max(largest, Math.abs(y));
    // Infinities and NaNs must be the same ones.
    if (Object.is(x, y) || x === y) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, Math.abs(x - y));
  }
  return difference / largest;
}

/** Inputs for one image, whose other free sizes are these. */
function drawInputs(
  converted: ConvertedModel,
  seed: number,
  sides: readonly number[] = SIDES,
): HostTensors {
  const named = [...converted.inputs.values()].flatMap(({ shape }) =>
    shape.filter((d) => typeof d === 'string').map(nameOf),
  );
  const names = [...new Set(named)].filter((name) => name !== FREE);
  const sizeOfName = (d: string): number =>
    multiple(d) * (nameOf(d) === FREE ? 1 : (sides[names.indexOf(nameOf(d))] as number));
  const inputs = [...converted.inputs].map(([name, spec], i) => {
    const shape = spec.shape.map((d) => (typeof d === 'string' ? sizeOfName(d) : d));
    return [name, draw(spec, shape, indexBound(converted.model.graph, name), random(seed + i))];
  });
  return Object.fromEntries(inputs);
}

/** Numbers that any model can take: pixels in [0, 1), indices below the bound, digits, booleans. */
function draw(
  { dtype }: TensorSpec,
  shape: number[],
  bound: number | undefined,
  next: () => number,
): HostTensor {
  const below = (n: number) => () => Math.floor(next() * n);
  const fill = (pick: () => number) => Array.from({ length: sizeOf(shape) }, pick);
  if (dtype === 'bool') return { dtype, shape, data: Uint8Array.from(fill(below(2))) };
  if (dtype === 'int32') return { dtype, shape, data: Int32Array.from(fill(below(bound ?? 10))) };
  return { dtype: 'float32', shape, data: Float32Array.from(fill(bound ? below(bound) : next)) };
}

/** Marsaglia's xorshift32: uniform numbers in [0, 1). */
function random(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** What leaves an index an index. */
const KEEPS = new Set([
  'Cast',
  'Clip',
  'Concat',
  'Expand',
  'Reshape',
  'Slice',
  'Tile',
  'Transpose',
]);

/** If an input chooses rows of a table, how many the smallest has: any number is valid below it. */
export function indexBound(graph: Graph, name: string): number | undefined {
  const indices = new Set<Value>(graph.inputs.filter((v) => v.name === name));
  const bounds: number[] = [];
  for (const node of graph.order()) {
    if (!node.inputs.some((v) => v && indices.has(v))) continue;
    if (KEEPS.has(node.op)) indices.add(node.outputs[0] as Value);
    const bound = boundOf(node, indices);
    if (bound !== undefined) bounds.push(bound);
  }
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
}

function boundOf({ op, inputs, attrs }: Node, indices: ReadonlySet<Value>): number | undefined {
  const [first, second] = inputs as [Value, Value];
  if (op === 'Gather' && indices.has(second)) return first.shape[(attrs.axis as number) ?? 0];
  if (op === 'OneHot' && indices.has(first) && second.data) return Number(second.data[0]);
  return undefined;
}
