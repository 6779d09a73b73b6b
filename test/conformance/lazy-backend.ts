import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { multinomial, recordDraws } from '../../export/src/convert/mended/draws.js';
import { Builder } from '../../export/src/graph/builder.js';
import { encode } from '../../export/src/graph/encode.js';
import { Graph } from '../../export/src/graph/graph.js';
import { sizeOf } from '../../export/src/graph/shapes.js';
import type { Data, Value } from '../../export/src/graph/value.js';
import { dense, type View, view } from '../../export/src/graph/view.js';
import { type Recorded, registerKernels, TraceBackend } from '../../export/src/trace/backend.js';
import { foldOnCpu } from '../../export/src/trace/cpu.js';

/**
 * The tracer as a backend that computes, so that TF.js's own specs can be run against it: kernels
 * are recorded by the lowerings under test, and when a spec reads a tensor, the part of the graph
 * that it depends on is encoded and run by onnxruntime. Values that a spec writes are inputs of
 * that graph; nothing is folded, so that a result cannot come from TF.js's cpu kernels.
 */

/** The native, synchronous session under onnxruntime-node's asynchronous one: specs use dataSync. */
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(
    feeds: object,
    fetches: object,
    options: object,
  ): Record<string, { data: Data; dims: number[] }>;
  dispose(): void;
}
const require = createRequire(import.meta.url);
const ort = require('onnxruntime-node') as typeof import('onnxruntime-node');
const { binding, initOrt } = require('onnxruntime-node/dist/binding.js') as {
  binding: { InferenceSession: new () => NativeSession };
  initOrt(): void;
};
initOrt();

/** How often onnxruntime ran. */
export const stats = { runs: 0 };

const OPTIMIZATION = process.env.CONFORMANCE_OPTIMIZATION ?? 'all';

/** The attributes of TF.js's kernel. */
interface MultinomialAttrs {
  readonly numSamples: number;
  readonly seed: number;
  readonly normalized: boolean;
}

class LazyBackend extends TraceBackend {
  private drawn = 0;
  private readonly leaves = new Map<Value, Data>();
  private readonly leafOf = new WeakMap<Recorded, Map<string, Value>>();

  constructor() {
    super();
    this.start(new Builder());
  }

  override runKernel(kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: object) {
    const named = Object.entries(inputs).filter(([, t]) => t != null) as [string, tf.TensorInfo][];
    // A kernel without inputs (Range, LinSpace) depends on JavaScript's numbers alone.
    if (named.length === 0 && kernelName !== 'Fill') {
      return foldOnCpu(kernelName, [], attrs, (values, shape, dtype) => ({
        dataId: this.write(values, shape, dtype),
        shape,
        dtype,
      }));
    }
    // A trace refuses to draw. Here numbers are drawn as those of a graph model are, by ONNX's operators.
    if (kernelName === 'Multinomial')
      return this.choose(inputs.logits as tf.Tensor, attrs as MultinomialAttrs);
    return this.lower(kernelName, named, attrs);
  }

  private choose(logits: tf.Tensor, { numSamples: samples, ...how }: MultinomialAttrs): tf.Tensor {
    const draw = { name: 'multinomial', place: this.drawn++ };
    return tf.tidy(() => multinomial(logits, { samples, ...how }, draw, recordDraws('operator')));
  }

  override viewOf(t: tf.TensorInfo): View {
    const entry = this.entries.get(t.dataId);
    // onnxruntime-node takes no inputs without elements: those stay constants.
    if ('view' in entry || sizeOf(t.shape) === 0) return super.viewOf(t);
    const known = this.leafOf.get(entry) ?? new Map<string, Value>();
    this.leafOf.set(entry, known);
    const key = `${t.dtype}[${t.shape}]`;
    let leaf = known.get(key);
    if (!leaf) {
      const { value } = super.viewOf(t);
      leaf = this.recording().graph.input(`x${value.id}_${this.leaves.size}`, t.shape, value.dtype);
      this.leaves.set(leaf, value.data as Data);
      known.set(key, leaf);
    }
    return view(leaf);
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values ?? new Float32Array(sizeOf(shape)), shape, dtype, 1);
    return dataId;
  }

  override readSync(dataId: object): tf.BackendValues {
    const entry = this.entries.get(dataId);
    if ('values' in entry) return entry.values;
    const values = this.evaluate(dense(this.recording(), entry.view));
    // From now on it is a value like one that was written.
    this.entries.set(dataId, { refs: entry.refs, values });
    return values;
  }

  private evaluate(value: Value): tf.BackendValues {
    const known = value.data ?? this.leaves.get(value);
    if (known) return known as tf.BackendValues;
    if (sizeOf(value.shape) === 0) return new Float32Array(0);
    const graph = new Graph();
    graph.output('result', value);
    const used = new Set(graph.order().flatMap((n) => n.inputs));
    const feeds: Record<string, unknown> = {};
    for (const [leaf, data] of this.leaves) {
      if (!used.has(leaf)) continue;
      graph.inputs.push(leaf);
      feeds[leaf.name as string] = new ort.Tensor(
        leaf.dtype as 'float32',
        data as never,
        leaf.shape,
      );
    }
    graph.verify();
    const bytes = encode(graph, { name: 'spec', dim: (size) => size });
    const { data, dims } = run(bytes, feeds);
    if (dims.join() !== value.shape.join()) {
      throw new Error(`the traced shape is [${value.shape}], onnxruntime's is [${dims}]`);
    }
    return data as tf.BackendValues;
  }
}

function run(bytes: Uint8Array, feeds: object): { data: Data; dims: number[] } {
  const session = new binding.InferenceSession();
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
    graphOptimizationLevel: OPTIMIZATION,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    stats.runs++;
    const { result } = session.run(feeds, { result: null }, { logSeverityLevel: 4 });
    return result as { data: Data; dims: number[] };
  } finally {
    session.dispose();
  }
}

export function register(name: string): void {
  tf.registerBackend(name, () => new LazyBackend());
  registerKernels(name);
}
