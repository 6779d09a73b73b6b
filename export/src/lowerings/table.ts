import type { Builder } from '../graph/builder.js';
import type { Value } from '../graph/value.js';
import { dense, type View, view } from '../graph/view.js';

/** TF.js hands a kernel its tensors and its other arguments by name. */
export type Views = Readonly<Record<string, View>>;
export type Values = Readonly<Record<string, Value>>;

/**
 * How one TF.js kernel is written in ONNX operators. A table maps kernel names to these; a kernel
 * that is in no table has no ONNX form, and tracing it is an error that names it.
 */
export type Lowering = (inputs: Views, attrs: object, b: Builder) => View | View[];
export type Table = Readonly<Record<string, Lowering>>;

/**
 * A lowering of values in TF.js's own order of axes. `I` and `A` are the input and attribute types
 * that TF.js publishes for the kernel; this is the one place where they are asserted.
 */
export const lower =
  <I, A = object>(
    f: (inputs: { [K in keyof I]: Value }, attrs: A, b: Builder) => Value | Value[],
  ): Lowering =>
  (inputs, attrs, b) => {
    const values: Record<string, Value> = {};
    for (const [name, v] of Object.entries(inputs)) values[name] = dense(b, v);
    const result = f(values as { [K in keyof I]: Value }, attrs as A, b);
    return Array.isArray(result) ? result.map((v) => view(v)) : view(result);
  };

/** A lowering that minds how its inputs lie and says how its result does. */
export const lowerViews =
  <I, A = object>(
    f: (inputs: { [K in keyof I]: View }, attrs: A, b: Builder) => View | View[],
  ): Lowering =>
  (inputs, attrs, b) =>
    f(inputs as { [K in keyof I]: View }, attrs as A, b);
