import type * as tf from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.js';
import { sameShape } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { view } from '../graph/view.js';
import type { TraceBackend } from './backend.js';

/** What goes round. */
export interface Rounds {
  /** Whether another round follows. */
  readonly test: (carried: readonly tf.Tensor[]) => tf.Tensor;
  /** What the next round takes. */
  readonly step: (carried: readonly tf.Tensor[]) => tf.Tensor[];
}

type Shapes = readonly (readonly number[])[];

/** One round, recorded, and the shapes of what the next one takes. */
interface Round {
  readonly graph: Graph;
  readonly taken: readonly Value[];
  readonly next: Shapes;
}

/**
 * Records a loop: `step` gives the next of what it takes, as long as `test` of it is true.
 * @param first whether there is a first round
 * @param resizes whether rounds may change the sizes of what they carry, which are then known only when
 *   the file runs
 * @throws Error if what is carried changes its shape otherwise, or its type
 */
export function recordLoop(
  backend: TraceBackend,
  carried: readonly tf.Tensor[],
  first: tf.Tensor,
  rounds: Rounds,
  resizes: boolean,
): tf.Tensor[] {
  const outer = backend.recording();
  const starts = carried.map((t) => backend.valueIn(t));
  const begin = outer.Reshape(backend.valueIn(first), []);
  const known = outer.foundSizes.length;
  const free = new Set<string>();
  let shapes: Shapes = starts.map(({ shape }) => shape);
  for (let kinds = 0; ; ) {
    const { graph, taken, next } = recordRound(backend, starts, shapes, rounds, resizes);
    const changeOf = (i: number, axis: number): string => `${shapes[i]?.[axis]}:${next[i]?.[axis]}`;
    next.forEach((shape, i) => {
      for (const [axis, d] of shape.entries())
        if (d !== shapes[i]?.[axis]) free.add(`${i}:${axis}`);
    });
    // Sizes that begin alike and change alike are one.
    const changes = new Set(
      [...free].map((at) => changeOf(...(at.split(':').map(Number) as [number, number]))),
    );
    if (changes.size === kinds) {
      const results = starts.map(({ dtype }, i) => ({ shape: shapes[i] as number[], dtype }));
      const inputs = [undefined, begin, ...starts, ...taken];
      const body = { attribute: 'body', graph, captured: taken.length } as const;
      return outer.graph
        .node('Loop', inputs, {}, results, [body])
        .map((v) => backend.tensor(view(v)));
    }
    kinds = changes.size;
    outer.forgetSizes(known);
    const sizes = new Map(
      [...changes].map((change) => [change, outer.unknownSize(Number.POSITIVE_INFINITY)]),
    );
    shapes = shapes.map((shape, i) =>
      shape.map((d, axis) =>
        free.has(`${i}:${axis}`) ? (sizes.get(changeOf(i, axis)) as number) : d,
      ),
    );
  }
}

function recordRound(
  backend: TraceBackend,
  starts: readonly Value[],
  shapes: Shapes,
  { test, step }: Rounds,
  resizes: boolean,
): Round {
  const next: (readonly number[])[] = [];
  const { graph, taken } = backend.body((inner) => {
    inner.graph.input('round', [], 'int64');
    inner.graph.input('on', [], 'bool');
    const given = starts.map(({ dtype }, i) =>
      inner.graph.input(`carried_${i}`, shapes[i] as number[], dtype),
    );
    const results = step(given.map((value) => backend.tensor(view(value))));
    results.forEach((t, i) => {
      const value = backend.valueIn(t);
      checkKept(given[i] as Value, value, resizes);
      next.push(value.shape);
    });
    inner.graph.output('again', inner.Reshape(backend.valueIn(test(results)), []));
    results.forEach((t, i) => {
      inner.graph.output(`next_${i}`, backend.valueIn(t));
    });
  });
  return { graph, taken, next };
}

function checkKept(start: Value, { shape, dtype }: Value, resizes: boolean): void {
  const kept = resizes ? shape.length === start.shape.length : sameShape(shape, start.shape);
  if (dtype === start.dtype && kept) return;
  throw new Error(
    `a loop turns a ${start.dtype}[${start.shape}] into a ${dtype}[${shape}], and what it carries has to keep its ` +
      (resizes ? 'type and its number of axes' : 'shape'),
  );
}
