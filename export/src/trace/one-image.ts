/**
 * A function may branch in JavaScript on the size of its batch. Two traces at large sizes, which are
 * compared to free it, take the same branch; one of a single image may take another.
 */

/** Kernels that a tensor of one row may need no more than one of many, and that compute nothing. */
const MOVES = new Set(['Identity', 'Tile', 'Reshape', 'ExpandDims', 'Cast']);

/**
 * @param many the kernels that a trace of many images called
 * @param one those of a trace of one image; undefined if it failed, which says nothing
 * @throws Error if they are not the same
 */
export function checkOneImage(many: readonly string[], one: readonly string[] | undefined): void {
  if (!one) return;
  const computed = (calls: readonly string[]) => calls.filter((name) => !MOVES.has(name));
  const [of, others] = [computed(many), computed(one)];
  const longer = of.length > others.length ? of : others;
  const at = longer.findIndex((_, i) => of[i] !== others[i]);
  if (at < 0) return;
  const [several = 'nothing more', single = 'nothing more'] = [of[at], others[at]];
  throw new Error(
    `the function branches on the size of its batch: of a single image it computes ${single}, of several ` +
      `${several}. Trace it with a fixed size, or decide with tensors, by tf.where`,
  );
}
