import { sameShape } from '../shapes.js';
import type { Attrs } from '../value.js';

export type Shape = readonly number[];

/** What a shape rule may look at. */
export interface Call {
  /** The inputs' shapes; undefined for an optional input that is left out. */
  readonly shapes: readonly (Shape | undefined)[];
  readonly attrs: Attrs;
  /** The integers that input `i` holds, such as the target of a Reshape; undefined if it is left out. */
  readonly integers: (i: number) => readonly number[] | undefined;
  /** Of each graph within the node, the shapes of its results. */
  readonly bodies: readonly (readonly Shape[])[];
}

/** A size that depends on values: any number is right. */
export const ANY = -1;

/**
 * The shapes of an operator's results, from its inputs, by the ONNX specification (opsets 13 to 24). A rule
 * throws an Error that says what is wrong if the inputs do not fit together.
 */
export type Rule = (call: Call) => readonly Shape[];
export type Rules = Readonly<Record<string, Rule>>;

/** The same rule for several operators. */
export const each = (operators: readonly string[], rule: Rule): Rules =>
  Object.fromEntries(operators.map((operator) => [operator, rule]));

/** The shape of an input that must be there. */
export function shapeAt({ shapes }: Call, i: number): Shape {
  const shape = shapes[i];
  if (!shape) throw new Error(`input ${i} is missing`);
  return shape;
}

export function integersAt({ integers }: Call, i: number): readonly number[] {
  const found = integers(i);
  if (!found) throw new Error(`input ${i} is missing`);
  return found;
}

/** A list of integers among the attributes. */
export const listOf = ({ attrs }: Call, name: string): readonly number[] | undefined =>
  attrs[name] as readonly number[] | undefined;

/** An integer among the attributes. */
export const numberOf = ({ attrs }: Call, name: string, otherwise: number): number =>
  (attrs[name] as number | undefined) ?? otherwise;

/** An axis from 0; negative ones count from the end. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!(found >= 0 && found < rank)) throw new Error(`there is no axis ${axis}`);
  return found;
}

/** @throws Error that says what differs, with both shapes */
export function mustEqual(what: string, actual: Shape, expected: Shape): void {
  if (!sameShape(actual, expected)) {
    throw new Error(`${what} has to be [${expected}] and is [${actual}]`);
  }
}
