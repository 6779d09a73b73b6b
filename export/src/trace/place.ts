/** A part of a model: a layer, or a node of a graph, by its name, and of which kind it is. */
export interface Place {
  readonly part: 'layer' | 'node';
  readonly name: string;
  readonly kind: string;
}

/** Such as `the layer "dense_1" (Dense)`. */
export const shownPlace = ({ part, name, kind }: Place): string =>
  `the ${part} "${name}" (${kind})`;

/** Which part of a model TF.js is running, for messages; it runs one at a time. */
let current: Place | undefined;

export const here = (): Place | undefined => current;

/** @returns the part before, to enter again */
export function enter(next: Place | undefined): Place | undefined {
  const before = current;
  current = next;
  return before;
}
