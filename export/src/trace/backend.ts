import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import type { Graph } from '../graph/graph.js';
import { perImage } from '../graph/per-image.js';
import { sizeOf } from '../graph/shapes.js';
import type { DType, Value } from '../graph/value.js';
import { dense, shapeOf, type View, view } from '../graph/view.js';
import { COMPLEX } from '../lowerings/complex.js';
import { LOWERINGS } from '../lowerings/index.js';
import { Bodies } from './bodies.js';
import { type Constant, foldOnCpu } from './cpu.js';
import { here, shownPlace } from './place.js';
import { during, noLowering, RANDOM_KERNELS, refuseRandomness } from './refusals.js';
import { dtypeOf, typed } from './types.js';

/** The name under which TF.js knows the recording backend. */
export const BACKEND = 'onnx-trace';

/** Whether a function is being recorded. */
export const isRecording = (): boolean => tf.engine().backendName === BACKEND;

/** Whether a tensor's values are known while a function is recorded. */
export const isConstant = (t: tf.Tensor): boolean => {
  const backend = tf.backend();
  return !(backend instanceof TraceBackend) || backend.isKnown(t);
};

/** What a tensor is to the recorder: its values, or a place in the graph being recorded. */
export type Recorded = { refs: number } & (
  | { values: tf.BackendValues }
  | { view: View; home: Builder }
  /** A number computed from a size that depends on values: at the stand-in, and when the file runs. */
  | { values: tf.BackendValues; view: View; home: Builder }
);

/**
 * Kernels that are not folded: those that make a tensor of one value, so that large ones stay small in
 * the file, and the one that makes complex numbers, which are no constants.
 */
const UNFOLDED = new Set(['Fill', 'ZerosLike', 'OnesLike', 'Complex']);

/** Constants of fewer elements are written as they are, whatever they hold. */
const LARGE = 1 << 14;

/** Kernels that compare a number with a bound and give one of them. */
const CUTS_OFF = new Set(['Minimum', 'Maximum', 'ClipByValue']);

/**
 * A TF.js backend whose kernels write ONNX nodes instead of computing. Tensors made from values
 * are constants; kernels on constants alone are computed by TF.js's own `cpu` kernels.
 */
export class TraceBackend extends tf.KernelBackend {
  protected readonly entries = new tf.DataStorage<Recorded>(this, tf.engine());
  private builder: Builder | undefined;
  private readonly bodies = new Bodies();
  /** The kernels that were called since `start`. */
  calls: string[] = [];

  /** Records into `builder` until `stop`. */
  start(builder: Builder): void {
    this.builder = builder;
    this.calls = [];
  }
  stop(): void {
    this.builder = undefined;
  }

  /** A tensor that stands for a value of the graph. */
  tensor(v: View): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.register(v));
  }

  /** Where a tensor is in the graph; a tensor of values becomes a constant. */
  viewOf(t: tf.TensorInfo): View {
    const entry = this.entries.get(t.dataId);
    if ('view' in entry) return this.bodies.within(entry.view, entry.home, this.recording());
    const dtype = dtypeOf(t.dtype);
    return (
      this.expanded(entry.values, t.shape, t.dtype) ??
      (entry.values.length < LARGE ? undefined : this.ofOneValue(entry.values, t.shape, dtype)) ??
      view(this.recording().constant(typed(entry.values, dtype), t.shape, dtype))
    );
  }

  /** A tensor's value in the graph, in TF.js's order of axes. */
  valueIn(t: tf.Tensor): Value {
    return dense(this.recording(), this.viewOf(t));
  }

  /** A constant with which is computed when the file runs, because it may be another at other sizes. */
  unfolded(t: tf.Tensor): tf.Tensor {
    if (!this.isKnown(t)) return t;
    const value = this.valueIn(t);
    const [kept] = this.recording().graph.node('Identity', [value], {}, [value]) as [Value];
    const known = this.tensor(view(kept));
    this.know(known, t.dataSync());
    return known;
  }

  /**
   * Records a graph within the one being recorded.
   * @returns the graph, and the values around it that it takes, its last inputs
   */
  body(write: (inner: Builder) => void): { graph: Graph; taken: Value[] } {
    const outer = this.recording();
    const inner = this.bodies.open(outer);
    this.builder = inner;
    try {
      write(inner);
    } finally {
      this.builder = outer;
    }
    return { graph: inner.graph, taken: this.bodies.takenBy(inner) };
  }

  /** What a function finds out while it is recorded; the recording is forgotten. */
  trial<T>(find: () => T): T {
    const outer = this.recording();
    const known = outer.foundSizes.length;
    let found: T | undefined;
    this.body(() => {
      found = find();
    });
    outer.forgetSizes(known);
    return found as T;
  }

  /** The stand-in of which a size is a multiple. */
  private freeSizeIn(shape: readonly number[]): number | undefined {
    return this.builder?.freeSizes.find((free) => shape.some((d) => d > 0 && d % free === 0));
  }

  /** A constant that has the size of the batch, or another free one, written so that the batch stays free. */
  private expanded(
    values: tf.BackendValues,
    shape: readonly number[],
    dtype: tf.DataType,
  ): View | undefined {
    const batch = this.freeSizeIn(shape);
    if (batch === undefined) return undefined;
    const type = dtypeOf(dtype);
    const value = perImage(this.recording(), typed(values, type), shape, type, batch);
    return value && view(value);
  }

  runKernel(kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: object) {
    if (RANDOM_KERNELS.has(kernelName)) refuseRandomness();
    this.calls.push(kernelName);
    const named = Object.entries(inputs).filter(([, t]) => t != null) as [string, tf.TensorInfo][];
    const known = named.map(([name, t]) => [name, t, this.entries.get(t.dataId)] as const);
    if (!UNFOLDED.has(kernelName) && known.every(([, , e]) => 'values' in e)) {
      const constants = known.map(([name, t, e]) => ({
        name,
        info: t,
        values: (e as { values: tf.BackendValues }).values,
      }));
      if (known.some(([, , e]) => 'view' in e))
        return this.sized(kernelName, named, constants, attrs);
      return foldOnCpu(kernelName, constants, attrs, (values, shape, dtype) => {
        const row = this.expanded(values, shape, dtype);
        return row
          ? this.register(row)
          : { dataId: this.write(values, shape, dtype), shape, dtype };
      });
    }
    return this.lower(kernelName, named, attrs);
  }

  /**
   * Records a kernel of numbers that sizes give, and keeps what they are at the sizes of the trace, by
   * which TF.js decides further shapes. Not those that a bound cuts off: they are other numbers at other
   * sizes.
   */
  private sized(
    kernelName: string,
    named: [string, tf.TensorInfo][],
    constants: readonly Constant[],
    attrs: object,
  ) {
    const recorded = this.lower(kernelName, named, attrs);
    if (CUTS_OFF.has(kernelName)) return recorded;
    const folded = [foldOnCpu(kernelName, constants, attrs, (values) => values)].flat();
    [recorded].flat().forEach((info, i) => {
      this.know(info, folded[i] as tf.BackendValues);
    });
    return recorded;
  }

  /** Records a kernel, whatever its inputs are. */
  protected lower(kernelName: string, inputs: [string, tf.TensorInfo][], attrs: object) {
    const pairs = inputs.some(([, t]) => t.dtype === 'complex64') || kernelName === 'Complex';
    const ofPairs = pairs ? COMPLEX[kernelName] : undefined;
    const lowering = ofPairs?.lowering ?? LOWERINGS[kernelName];
    if (!lowering) throw new Error(noLowering(kernelName));
    if (!ofPairs) for (const [, t] of inputs) dtypeOf(t.dtype);
    const views: Record<string, View> = {};
    for (const [name, t] of inputs) views[name] = this.viewOf(t);
    const result = lowering(views, attrs, this.recording());
    if (ofPairs?.complex) return this.registerPairs(result as View);
    return Array.isArray(result) ? result.map((v) => this.register(v)) : this.register(result);
  }

  /** Whether a tensor's values are known while the function is recorded. */
  isKnown(t: tf.Tensor): boolean {
    const entry = this.entries.get(t.dataId);
    return 'values' in entry && !('view' in entry);
  }

  /** Whether a size of a tensor, or that of one axis, depends on values. */
  hasUnknownSize(t: tf.Tensor, axis?: number): boolean {
    const sizes = axis === undefined ? t.shape : t.shape.slice(axis, axis + 1);
    return this.recording().dependsOnValues(sizes);
  }

  /** How long a tensor is along its first axis, which depends on values. */
  sizeOf(t: tf.Tensor): tf.Tensor {
    const size = t.shape[0] as number;
    const [length] = this.record({ t }, (b, { t: v }) => {
      const value = dense(b, v as View);
      const source = b.graph.find(({ shape }) => shape.includes(size)) ?? value;
      const start = source.shape.indexOf(size);
      const one = { shape: [1], dtype: 'int64' } as const;
      const [found] = b.op('Shape', [source], { start, end: start + 1 }, one) as [Value];
      return [view(b.Reshape(b.Cast(found, 'int32'), []))];
    }) as [tf.Tensor];
    this.know(length, Int32Array.of(size));
    return length;
  }

  /** The shape of a tensor, some of whose sizes depend on values. */
  shapeOf(t: tf.Tensor): tf.Tensor {
    const [shape] = this.record({ t }, (b, { t: v }) => {
      const value = dense(b, v as View);
      const whole = { shape: [value.shape.length], dtype: 'int64' } as const;
      return [view(b.Cast(b.op('Shape', [value], {}, whole)[0] as Value, 'int32'))];
    }) as [tf.Tensor];
    this.know(shape, Int32Array.from(t.shape));
    return shape;
  }

  /** Says what a recorded tensor is at the sizes of the trace. */
  private know({ dataId }: tf.TensorInfo, values: tf.BackendValues): void {
    const entry = this.entries.get(dataId);
    if ('view' in entry) this.entries.set(dataId, { ...entry, values });
  }

  /** Records operators that stand for many of TF.js's; a gradient cannot be taken through them. */
  record(
    inputs: Readonly<Record<string, tf.Tensor>>,
    write: (b: Builder, views: Readonly<Record<string, View>>) => readonly View[],
  ): tf.Tensor[] {
    const views = Object.entries(inputs).map(([name, t]) => [name, this.viewOf(t)] as const);
    return write(this.recording(), Object.fromEntries(views)).map((v) => this.tensor(v));
  }

  private register(v: View): tf.TensorInfo {
    const dataId = {};
    this.entries.set(dataId, { refs: 1, view: v, home: this.recording() });
    // An index of the graph (int64) is an int32 to TF.js; no kernel gives one back uncast.
    return { dataId, shape: [...shapeOf(v)], dtype: v.value.dtype as tf.DataType };
  }

  /** A complex tensor: TF.js does not see the axis of its two parts. */
  private registerPairs(v: View): tf.TensorInfo {
    const { dataId, shape } = this.register(v);
    return { dataId, shape: shape.slice(0, -1), dtype: 'complex64' };
  }

  recording(): Builder {
    if (!this.builder) throw new Error('a tensor of a finished trace was used outside of it');
    const place = here();
    this.builder.graph.origin = place && shownPlace(place);
    return this.builder;
  }

  // What TF.js asks of any backend

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    refuseRandomness();
    const constant = values ?? typed(new Float32Array(sizeOf(shape)), dtypeOf(dtype));
    const dataId = {};
    const same = this.sameForAll(constant, shape, dtype);
    if (same) this.entries.set(dataId, { refs: 1, view: same, home: this.recording() });
    else this.move(dataId, constant, shape, dtype, 1);
    return dataId;
  }
  /**
   * A tensor with one value for every image, such as the zeros a recurrent layer starts from, is
   * recorded at once: as a constant of the size that stands for the batch it would take minutes.
   */
  private sameForAll(
    values: tf.BackendValues,
    shape: readonly number[],
    dtype: tf.DataType,
  ): View | undefined {
    if (this.freeSizeIn(shape) === undefined) return undefined;
    return this.ofOneValue(values, shape, dtypeOf(dtype));
  }
  /** A tensor with one value everywhere, which takes no room in the file; undefined of any other. */
  private ofOneValue(
    values: tf.BackendValues,
    shape: readonly number[],
    dtype: DType,
  ): View | undefined {
    const [first] = values;
    for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return undefined;
    return view(this.recording().full(Number(first), shape, dtype));
  }
  override move(
    dataId: object,
    values: tf.BackendValues,
    _shape: number[],
    _dtype: tf.DataType,
    refs: number,
  ): void {
    this.entries.set(dataId, { refs, values });
  }
  override readSync(dataId: object): tf.BackendValues {
    const entry = this.entries.get(dataId);
    if ('values' in entry) return entry.values;
    throw new Error(
      `The values of a tensor were read while it was being traced${during()}. They are known only ` +
        'when the ONNX file runs: compute with tensors instead, or make the value an input.',
    );
  }
  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }
  override incRef(dataId: object): void {
    this.entries.get(dataId).refs++;
  }
  override refCount(dataId: object): number {
    return this.entries.has(dataId) ? this.entries.get(dataId).refs : 0;
  }
  decRef(dataId: object): void {
    if (this.entries.has(dataId)) this.entries.get(dataId).refs--;
  }
  override disposeData(dataId: object, force = false): boolean {
    if (!this.entries.has(dataId)) return true;
    if (--this.entries.get(dataId).refs > 0 && !force) return false;
    this.entries.delete(dataId);
    return true;
  }
  override numDataIds(): number {
    return this.entries.numDataIds();
  }
  override memory() {
    return { unreliable: true };
  }
  override timerAvailable(): boolean {
    return false;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override dispose(): void {}
}

// Every kernel name that TF.js's cpu backend knows is registered, so that constants fold whatever
// the kernel and an unsupported one is refused by us, by name.
const names = new Set([
  ...Object.keys(LOWERINGS),
  ...Object.keys(COMPLEX),
  ...tf.getKernelsForBackend('cpu').map((k) => k.kernelName),
]);
/** Makes the kernels known to TF.js under the name of a backend that is a TraceBackend. */
export function registerKernels(backendName: string): void {
  for (const kernelName of names) registerKernel(kernelName, backendName);
}

function registerKernel(kernelName: string, backendName: string): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const traced = backend as TraceBackend;
      if (kernelName === 'Identity') {
        const x = inputs.x as tf.TensorInfo;
        traced.incRef(x.dataId);
        return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
      }
      return traced.runKernel(kernelName, inputs, attrs ?? {});
    },
  });
}

// The lowest priority: TF.js must never choose it by itself.
tf.registerBackend(BACKEND, () => new TraceBackend(), 0);
registerKernels(BACKEND);
