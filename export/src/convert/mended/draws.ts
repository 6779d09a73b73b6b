/** Random numbers that a graph model draws as it runs. */

import type { GraphNode } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../../graph/builder.js';
import type { Attrs, Value } from '../../graph/value.js';
import { view } from '../../graph/view.js';
import type { TraceBackend } from '../../trace/backend.js';

/** What becomes of draws: inputs of the file, or ONNX's random operators. */
export type Random = 'input' | 'operator';

export interface Draw {
  /** Of the node, with a number if it draws again. */
  readonly name: string;
  /** Which draw of the run it is. */
  readonly place: number;
  readonly shape: number[];
  readonly kind: 'normal' | 'truncated' | 'uniform' | 'integers';
  /** Integers are in [low, high). */
  readonly low: number;
  readonly high: number;
  /** With one, the engine draws the same at every run. */
  readonly seed?: number;
}

export type Source = (draw: Draw) => tf.Tensor;

/** TF.js's own generator; a trace refuses it. */
const TFJS: Readonly<Record<Draw['kind'], Source>> = {
  normal: ({ shape }) => tf.randomStandardNormal(shape),
  truncated: ({ shape }) => tf.truncatedNormal(shape),
  uniform: ({ shape }) => tf.randomUniform(shape),
  integers: ({ shape, low, high }) => tf.randomUniformInt(shape, low, high),
};

let source: Source | undefined;
const drawn: string[] = [];

/** From now on draws come from here: from TF.js's own generator, if it is undefined. */
export function drawFrom(next: Source | undefined): void {
  source = next;
  drawn.length = 0;
}

const dtypeOf = ({ kind }: Draw) => (kind === 'integers' ? 'int32' : 'float32');

/** Draws of a function that is being traced. */
export const recordDraws =
  (how: Random): Source =>
  (draw) => {
    const write = how === 'input' ? input : operator;
    const [t] = (tf.backend() as TraceBackend).record({}, (b) => [view(write(b, draw))]);
    return t as tf.Tensor;
  };

const input = (b: Builder, draw: Draw): Value =>
  b.graph.input(draw.name, draw.shape, dtypeOf(draw));

function operator(b: Builder, { name, place, shape, kind, low, high, seed }: Draw): Value {
  if (kind === 'truncated') {
    throw new Error(
      `ONNX has no operator for the truncated draws of "${name}": make them an input, with --random input`,
    );
  }
  // Equal nodes are one: what tells them apart is the value of what they take only the shape of.
  const like = b.full(place, shape, 'float32');
  const operator = kind === 'normal' ? 'RandomNormalLike' : 'RandomUniformLike';
  const attrs: Attrs = seed === undefined ? {} : { seed: { float: seed } };
  const [x] = b.op(operator, [like], attrs, { shape, dtype: 'float32' }) as [Value];
  if (kind !== 'integers') return x;
  const steps = b.Floor(b.Mul(x, b.float(high - low)));
  const below = b.Min(steps, b.float(high - low - 1));
  return b.Add(b.Cast(below, 'int32'), b.scalar(low, 'int32'));
}

/** How TF.js's converter runs a node: by what it takes and its attributes, which leave out the name. */
type Executor = (node: GraphNode & { readonly node?: { readonly name: string } }) => tf.Tensor;

/** The name of a node's next draw, and its place among those of the run. */
function nextDraw(base: string): Pick<Draw, 'name' | 'place'> {
  const again = drawn.filter((other) => other === base).length;
  return { name: again ? `${base}_${again}` : base, place: drawn.push(base) };
}

const executor =
  (kind: Draw['kind']): Executor =>
  (node) => {
    const [shape, low = 0, high = 1] = node.inputs.map((t) => Array.from(t.dataSync())) as [
      number[],
      ...number[][],
    ];
    const draw = { ...nextDraw(node.node?.name ?? kind), low: Number(low), high: Number(high) };
    return (source ?? TFJS[kind])({ ...draw, shape, kind });
  };

/** Numbers of classes, and how they are drawn. */
export interface Choice {
  /** Of each row, as many as there are numbers to draw. */
  readonly samples: number;
  readonly seed?: number;
  /** Whether probabilities are given in place of their logarithms. */
  readonly normalized?: boolean;
}

/**
 * Numbers of classes, drawn by their probabilities: how many cumulated ones a uniform number exceeds.
 * @param logits [rows, classes]
 * @param from gives the uniform numbers, [rows, samples, 1]
 * @returns [rows, samples], int32
 */
export function multinomial(
  logits: tf.Tensor,
  { samples, seed, normalized = false }: Choice,
  draw: Pick<Draw, 'name' | 'place'>,
  from: Source,
): tf.Tensor {
  const [rows, classes] = logits.shape as [number, number];
  const probabilities = normalized ? logits : tf.softmax(logits);
  const bounds = tf.cumsum(tf.slice(probabilities, [0, 0], [rows, classes - 1]), 1);
  const shape = [rows, samples, 1];
  const seeded = seed ? { seed } : {};
  const uniform = from({ ...draw, ...seeded, shape, kind: 'uniform', low: 0, high: 1 });
  const exceeded = tf.lessEqual(tf.reshape(bounds, [rows, 1, classes - 1]), uniform);
  return tf.sum(tf.cast(exceeded, 'int32'), 2);
}

const choose: Executor = ({ node, inputs: [logits, count], attrs }) => {
  const samples = Number((count as tf.Tensor).dataSync()[0]);
  const seed = Number(attrs.seed ?? 0);
  if (!source) return tf.multinomial(logits as tf.Tensor2D, samples, seed || undefined);
  const choice = { samples, seed };
  return multinomial(logits as tf.Tensor, choice, nextDraw(`${node?.name}/uniform`), source);
};

export const RANDOM_OPS: Readonly<Record<string, Executor>> = {
  RandomStandardNormal: executor('normal'),
  TruncatedNormal: executor('truncated'),
  RandomUniform: executor('uniform'),
  RandomUniformInt: executor('integers'),
  Multinomial: choose,
};
