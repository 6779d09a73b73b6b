import { foldConstants } from './fold.js';
import { Graph } from './graph.js';
import {
  broadcastShapes,
  isIdentity,
  movesOnlyUnits,
  permute,
  sameShape,
  sizeOf,
} from './shapes.js';
import type { StandIns } from './stand-ins.js';
import type { Attrs, Data, DType, Value } from './value.js';

type Shape = readonly number[];

/** Stand-ins above it are seldom near a size that a network has itself. */
const FEW = 1000;
/** How much longer or shorter a list becomes by single elements. */
const NEAR = 8;

/** An empty axis is no multiple of a size. */
const isMultiple = (d: number, size: number): boolean => d > 0 && d % size === 0;

/**
 * Writes ONNX operators into a graph, one method an operator, and infers each result's shape and
 * type. Operators whose inputs are all constants are computed on the spot where that is cheap.
 */
export class Builder {
  /** @param standIns for sizes that are known only when the file runs; none, if all are known */
  constructor(
    readonly graph: Graph = new Graph(),
    private readonly standIns?: StandIns,
  ) {}

  /** The sizes that stand for free ones, such as the batch's. */
  get freeSizes(): readonly number[] {
    return this.standIns?.sizes ?? [];
  }
  /** Whether all sizes are known. */
  get fixed(): boolean {
    return this.freeSizes.length === 0;
  }
  /** A builder of a graph within this one. */
  within(): Builder {
    return new Builder(new Graph(), this.standIns);
  }
  /** The numbers that stand for sizes of results, which depend on values. */
  get foundSizes(): readonly number[] {
    return this.standIns?.unknown ?? [];
  }
  /** Forgets all but the first of them: what was recorded with the others is not kept. */
  forgetSizes(kept: number): void {
    this.standIns?.forget(kept);
  }
  /** Whether one of the sizes depends on values: is a multiple of one that does, or a little more or less. */
  dependsOnValues(shape: Shape): boolean {
    return shape.some((d) =>
      this.foundSizes.some(
        (size) => isMultiple(d, size) || (size > FEW && Math.abs(d - size) < NEAR),
      ),
    );
  }
  /** A number that stands for the size of a result, which depends on values and is `most` at most. */
  unknownSize(most: number): number {
    const occurs = (size: number): boolean =>
      this.graph.find(({ shape }) => shape.some((d) => isMultiple(d, size))) !== undefined;
    if (this.standIns) return this.standIns.next(most, occurs);
    throw new Error('its shape depends on values, so it cannot be traced here');
  }

  /** Any operator, with the shapes and types of its results given. */
  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    attrs: Attrs,
    ...outputs: { shape: Shape; dtype: DType }[]
  ): readonly Value[] {
    return this.graph.node(op, inputs, attrs, outputs);
  }

  private one(
    op: string,
    inputs: readonly (Value | undefined)[],
    shape: Shape,
    dtype: DType,
    attrs: Attrs = {},
  ): Value {
    const folded = foldConstants(op, inputs, attrs, shape, dtype);
    if (folded) return this.graph.constant(folded, shape, dtype);
    return this.op(op, inputs, attrs, { shape, dtype })[0] as Value;
  }

  // Constants

  constant(data: Data, shape: Shape, dtype: DType): Value {
    return this.graph.constant(data, shape, dtype);
  }
  float(x: number): Value {
    return this.constant(Float32Array.of(x), [], 'float32');
  }
  ints(xs: readonly number[]): Value {
    return this.constant(BigInt64Array.from(xs, BigInt), [xs.length], 'int64');
  }
  /** A scalar of the given type. */
  scalar(x: number, dtype: DType): Value {
    const array = { float32: Float32Array, float16: Uint16Array, int32: Int32Array };
    if (dtype === 'int64') return this.constant(BigInt64Array.of(BigInt(x)), [], dtype);
    if (dtype === 'bool' || dtype === 'uint8') return this.constant(Uint8Array.of(x), [], dtype);
    return this.constant(array[dtype].of(x), [], dtype);
  }
  /** 0, 1, 2, … in the given shape. */
  iota(shape: Shape, dtype: 'float32' | 'int32' | 'int64'): Value {
    const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => i);
    if (dtype === 'int64') return this.constant(BigInt64Array.from(numbers, BigInt), shape, dtype);
    const array = dtype === 'int32' ? Int32Array : Float32Array;
    return this.constant(array.from(numbers), shape, dtype);
  }
  /** 0, 1, 2, … along the first axis, counted when the graph runs: the batch may be free. */
  countRows(shape: Shape): Value {
    return this.CumSum(this.full(1, shape, 'int64'), 0, true);
  }
  /** A tensor with one value everywhere; large ones are expanded when the graph runs. */
  full(x: number, shape: Shape, dtype: DType): Value {
    const value = this.scalar(x, dtype);
    return shape.length === 0 ? value : this.Expand(value, shape);
  }

  // Elementwise

  /** One input or several that broadcast; the result has the type of the last unless given. */
  map(op: string, inputs: readonly Value[], attrs: Attrs = {}, dtype?: DType): Value {
    const shape = inputs.map((v) => v.shape).reduce(broadcastShapes);
    // A scalar beside a last axis of size 1: onnxruntime would go an element at a time, twenty
    // times slower than beside a scalar of the same rank.
    const ranked = inputs.map((v) =>
      shape.at(-1) === 1 && sizeOf(v.shape) === 1
        ? this.Reshape(
            v,
            shape.map(() => 1),
          )
        : v,
    );
    return this.one(op, ranked, shape, dtype ?? (inputs.at(-1) as Value).dtype, attrs);
  }
  Add = (a: Value, b: Value): Value => this.map('Add', [a, b]);
  Sub = (a: Value, b: Value): Value => this.map('Sub', [a, b]);
  Mul = (a: Value, b: Value): Value => this.map('Mul', [a, b]);
  Div = (a: Value, b: Value): Value => this.map('Div', [a, b]);
  Max = (a: Value, b: Value): Value => this.map('Max', [a, b]);
  Min = (a: Value, b: Value): Value => this.map('Min', [a, b]);
  Pow = (a: Value, b: Value): Value => this.map('Pow', [a, b]);
  Mod = (a: Value, b: Value, attrs: Attrs = {}): Value => this.map('Mod', [a, b], attrs);
  And = (a: Value, b: Value): Value => this.map('And', [a, b]);
  Or = (a: Value, b: Value): Value => this.map('Or', [a, b]);
  Equal = (a: Value, b: Value): Value => this.map('Equal', [a, b], {}, 'bool');
  Greater = (a: Value, b: Value): Value => this.map('Greater', [a, b], {}, 'bool');
  GreaterOrEqual = (a: Value, b: Value): Value => this.map('GreaterOrEqual', [a, b], {}, 'bool');
  Less = (a: Value, b: Value): Value => this.map('Less', [a, b], {}, 'bool');
  LessOrEqual = (a: Value, b: Value): Value => this.map('LessOrEqual', [a, b], {}, 'bool');
  Not = (x: Value): Value => this.map('Not', [x]);
  Sqrt = (x: Value): Value => this.map('Sqrt', [x]);
  Reciprocal = (x: Value): Value => this.map('Reciprocal', [x]);
  Neg = (x: Value): Value => this.map('Neg', [x]);
  Floor = (x: Value): Value => this.map('Floor', [x]);
  Sign = (x: Value): Value => this.map('Sign', [x]);
  Relu = (x: Value): Value => this.map('Relu', [x]);
  IsNaN = (x: Value): Value => this.map('IsNaN', [x], {}, 'bool');
  IsInf = (x: Value): Value => this.map('IsInf', [x], {}, 'bool');
  Clip = (x: Value, low: Value, high: Value): Value =>
    this.one('Clip', [x, low, high], x.shape, x.dtype);
  /** ONNX has no Where for bool in onnxruntime: bools go through int32. */
  Where = (condition: Value, a: Value, b: Value): Value =>
    a.dtype === 'bool'
      ? this.Cast(this.Where(condition, this.Cast(a, 'int32'), this.Cast(b, 'int32')), 'bool')
      : this.map('Where', [condition, a, b]);
  Cast = (x: Value, dtype: DType): Value =>
    x.dtype === dtype ? x : this.one('Cast', [x], x.shape, dtype, { to: ONNX_TYPE[dtype] });

  // Shape

  Reshape(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    if (sizeOf(x.shape) !== sizeOf(shape)) {
      throw new Error(`a tensor of shape [${x.shape}] cannot be reshaped to [${shape}]`);
    }
    // A reshape of a reshape is the last one.
    const source = x.node?.op === 'Reshape' ? (x.node.inputs[0] as Value) : x;
    if (sameShape(source.shape, shape)) return source;
    const attrs: Attrs = shape.includes(0) ? { allowzero: 1 } : {};
    return this.one('Reshape', [source, this.ints(shape)], shape, x.dtype, attrs);
  }
  Transpose(x: Value, perm: readonly number[]): Value {
    if (isIdentity(perm)) return x;
    const shape = permute(x.shape, perm);
    if (movesOnlyUnits(x.shape, perm)) return this.Reshape(x, shape);
    return this.one('Transpose', [x], shape, x.dtype, { perm });
  }
  Expand(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    return this.one('Expand', [x, this.ints(shape)], shape, x.dtype);
  }
  Tile(x: Value, repeats: readonly number[]): Value {
    const shape = x.shape.map((d, i) => d * (repeats[i] as number));
    return this.one('Tile', [x, this.ints(repeats)], shape, x.dtype);
  }
  Concat(xs: readonly Value[], axis: number): Value {
    const first = xs[0] as Value;
    if (xs.length === 1) return first;
    const along = xs.reduce((sum, x) => sum + (x.shape[axis] as number), 0);
    const shape = first.shape.map((d, i) => (i === axis ? along : d));
    return this.one('Concat', xs, shape, first.dtype, { axis });
  }
  /** The part [begin, end) of each axis, every `steps`-th element. */
  Slice(x: Value, begin: Shape, end: Shape, steps: Shape = begin.map(() => 1)): Value {
    const axes = begin.flatMap((b, i) =>
      b === 0 && end[i] === x.shape[i] && steps[i] === 1 ? [] : [i],
    );
    if (axes.length === 0) return x;
    const at = (xs: Shape) => this.ints(axes.map((i) => xs[i] as number));
    const shape = x.shape.map((d, i) => {
      const [first, e, s] = [begin[i] as number, end[i] as number, steps[i] as number];
      const b = first < 0 ? first + d : first;
      // A reversed axis that runs through its first element has its end before the tensor.
      const stop = s < 0 && e < 0 ? -1 : e;
      return Math.max(0, Math.ceil((stop - b) / s));
    });
    const inputs = [x, at(begin), at(end), this.ints(axes)];
    if (axes.some((i) => steps[i] !== 1)) inputs.push(at(steps));
    return this.one('Slice', inputs, shape, x.dtype);
  }
  Pad(x: Value, pads: readonly (readonly [number, number])[], value = 0): Value {
    if (pads.every(([a, b]) => a === 0 && b === 0)) return x;
    const amounts = this.ints([...pads.map((p) => p[0]), ...pads.map((p) => p[1])]);
    const shape = x.shape.map((d, i) => d + (pads[i]?.[0] ?? 0) + (pads[i]?.[1] ?? 0));
    return this.one('Pad', [x, amounts, this.scalar(value, x.dtype)], shape, x.dtype);
  }
  Gather(x: Value, indices: Value, axis: number): Value {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return this.one('Gather', [x, indices], shape, x.dtype, { axis });
  }

  /** Slices of x at index tuples of int64, the last axis of `indices`. */
  GatherND(x: Value, indices: Value, batchDims = 0): Value {
    const depth = batchDims + (indices.shape.at(-1) as number);
    const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    return this.one('GatherND', [x, indices], shape, x.dtype, { batch_dims: batchDims });
  }
  /** x with slices replaced, or added to, at index tuples of int64. */
  ScatterND(x: Value, indices: Value, updates: Value, reduction: 'none' | 'add'): Value {
    const attrs: Attrs = reduction === 'none' ? {} : { reduction };
    return this.one('ScatterND', [x, indices, updates], x.shape, x.dtype, attrs);
  }
  CumSum(x: Value, axis: number, exclusive = false, reverse = false): Value {
    const attrs = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
    return this.one('CumSum', [x, this.scalar(axis, 'int64')], x.shape, x.dtype, attrs);
  }

  // Reductions and products

  /** ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1 over the given axes. */
  reduce(op: string, x: Value, axes: Shape, keepDims = false): Value {
    if (axes.length === 0) return x;
    const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
    const attrs = { keepdims: keepDims ? 1 : 0 };
    return this.one(op, [x, this.ints(axes)], shape, x.dtype, attrs);
  }
  MatMul(a: Value, b: Value): Value {
    const [m, n] = [a.shape.at(-2) as number, b.shape.at(-1) as number];
    if (a.shape.at(-1) !== b.shape.at(-2)) {
      throw new Error(`[${a.shape}] and [${b.shape}] cannot be multiplied: inner sizes differ`);
    }
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.one('MatMul', [a, b], [...batch, m, n], a.dtype);
  }
  /** Matrices only: A·B (+ C), either one transposed first. */
  Gemm(a: Value, b: Value, c?: Value, { transA = false, transB = false } = {}): Value {
    const [m, k] = transA ? [...a.shape].reverse() : a.shape;
    const [l, n] = transB ? [...b.shape].reverse() : b.shape;
    if (k !== l) throw new Error(`[${a.shape}] and [${b.shape}] cannot be multiplied by Gemm`);
    const attrs = { ...(transA && { transA: 1 }), ...(transB && { transB: 1 }) };
    return this.one('Gemm', c ? [a, b, c] : [a, b], [m as number, n as number], a.dtype, attrs);
  }
}

/** TensorProto.DataType of the ONNX standard. */
export const ONNX_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
