/** What a graph is made of: values, and the nodes that compute them. */

export type DType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'bool';
export type Data = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

/** An attribute of a node. Floats are marked, because a bare 1 would be written as an integer. */
export type Attr =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number };
export type Attrs = Readonly<Record<string, Attr>>;

export interface Value {
  readonly id: number;
  /** Sizes; a dimension that is free in the file has its stand-in, the size it was traced at. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Present on constants. */
  readonly data?: Data;
  /** The node that computes it; absent on inputs and constants. */
  readonly node?: Node;
  /** Present on inputs of the graph. */
  readonly name?: string;
  /** On an input that is a constant by the time the file runs, and on what is computed of such alone. */
  readonly weight?: boolean;
}

/** Whether engines know it when they load the file. */
export const isConstant = ({ data, weight = false }: Value): boolean =>
  data !== undefined || weight;

/** One ONNX operator, its inputs and results. An optional input that is left out is undefined. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attrs: Attrs;
  readonly outputs: readonly Value[];
  /** The part of a model that it was first recorded for, such as `the layer "dense_1"`. */
  readonly origin?: string | undefined;
  /** Present on loops and branches: what a round, or each branch, computes. */
  readonly bodies?: readonly Body[];
}

/**
 * A graph within a node. Its last inputs are values of the graph around it; the node reads those of all
 * its bodies last, body by body.
 */
export interface Body {
  /** The attribute in which ONNX has it. */
  readonly attribute: 'body' | 'then_branch' | 'else_branch';
  readonly graph: BodyGraph;
  /** How many values of the graph around it there are. */
  readonly captured: number;
}

export interface BodyGraph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  order(): Node[];
}
