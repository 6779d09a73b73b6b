import type * as tf from '@tensorflow/tfjs-core';
import { sameShape } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { view } from '../graph/view.js';
import type { TraceBackend } from './backend.js';

/**
 * Records a loop: `step` gives the next of what it takes, as long as `test` of it is true.
 * @param first whether there is a first round
 * @throws Error if what is carried changes its shape or type
 */
export function recordLoop(
  backend: TraceBackend,
  carried: readonly tf.Tensor[],
  first: tf.Tensor,
  test: (carried: tf.Tensor[]) => tf.Tensor,
  step: (carried: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor[] {
  const outer = backend.recording();
  const starts = carried.map((t) => backend.valueIn(t));
  const begin = outer.Reshape(backend.valueIn(first), []);
  const { graph, taken } = backend.body((inner) => {
    inner.graph.input('round', [], 'int64');
    inner.graph.input('on', [], 'bool');
    const next = step(
      starts.map(({ shape, dtype }, i) =>
        backend.tensor(view(inner.graph.input(`carried_${i}`, shape, dtype))),
      ),
    );
    inner.graph.output('again', inner.Reshape(backend.valueIn(test(next)), []));
    next.forEach((t, i) => {
      const value = backend.valueIn(t);
      checkKept(starts[i] as Value, value);
      inner.graph.output(`next_${i}`, value);
    });
  });
  const results = outer.graph.node('Loop', [undefined, begin, ...starts, ...taken], {}, starts, [
    { attribute: 'body', graph, captured: taken.length },
  ]);
  return results.map((v) => backend.tensor(view(v)));
}

function checkKept(start: Value, { shape, dtype }: Value): void {
  if (dtype === start.dtype && sameShape(shape, start.shape)) return;
  throw new Error(
    `a loop turns a ${start.dtype}[${start.shape}] into a ${dtype}[${shape}], and what it carries has to keep its shape`,
  );
}
