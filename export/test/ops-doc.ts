import { FIRST_OPSET, LAST_OPSET } from '../src/graph/opset.js';
import { COMPLEX } from '../src/lowerings/complex.js';
import { LOWERINGS } from '../src/lowerings/index.js';
import { TraceBackend } from '../src/trace/backend.js';
import type { Case } from './cases/case.js';
import { FAMILIES } from './cases/index.js';
import { traced } from './run.js';

/** What a table of operators cannot say of a kernel. */
const NOTES: Readonly<Record<string, string>> = {
  ArgMax: 'NaN is never the largest, as in TF.js',
  ArgMin: 'NaN is never the smallest, as in TF.js',
  AvgPool: 'padding as wide as the window or wider is written out',
  Conv2D:
    'Conv where the filter is constant or dilated, a product of matrices where it is computed',
  Conv2DBackpropInput:
    'ConvTranspose where the filter is constant, products of matrices where it is computed',
  Cumprod: 'memory grows with the square of the axis',
  Einsum: 'repeated axes within one operand are refused, as TF.js does',
  FloorDiv: 'through float32: exact up to 2²⁴',
  FusedBatchNorm: 'with constant statistics it folds into the convolution or product before it',
  GatherV2: 'indices out of range fail when the graph runs, not when it is traced',
  GroupedConv2D:
    'of @gpn/models, not of TF.js: Conv where the filter is constant, products of matrices where it is computed',
  GroupedConv2DBackpropFilter: 'of @gpn/models',
  GroupedConv2DBackpropInput: 'of @gpn/models',
  Identity: 'the same value: nothing is recorded',
  Max: 'NaN wherever the input has one: the sum of absolute values tells',
  MaxPool: 'padding as wide as the window or wider is written out',
  Min: 'NaN wherever the input has one: the sum of absolute values tells',
  NonMaxSuppressionV5: 'without softNmsSigma: ONNX keeps the scores as they are',
  ResizeNearestNeighbor: 'Resize for whole factors, rows picked by number for others',
  Sign: 'NaN gives 0, as in TF.js',
  Transpose: 'kept pending until an operator needs the order',
};

/** Kernels of TF.js that have no entry, and why. */
const ABSENT: readonly (readonly [string, string])[] = [
  [
    'StaticRegexReplace, StringNGrams, StringSplit, StringToHashBucketFast',
    'strings: compute them before and pass numbers in',
  ],
  [
    'RaggedGather, RaggedRange, RaggedTensorToTensor, SparseFillEmptyRows, SparseReshape, ' +
      'SparseSegmentMean, SparseSegmentSum, Where (but for graph models)',
    'the shape of the result depends on values, which TF.js wants to know while tracing',
  ],
  ['Draw, FromPixels', "a browser's canvas"],
  [
    'Multinomial',
    'drawing is refused in a trace: make the random numbers an input of the graph. Of a graph model `--random` takes it',
  ],
  ['LinSpace, Range', 'no tensors go in: they are computed while tracing and are constants'],
];

/** Which ONNX operators each kernel was seen to write, over all cases. */
export function operatorsByKernel(): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  // Every kernel goes through this method; the table is of what it writes meanwhile.
  const prototype = TraceBackend.prototype as unknown as {
    lower(this: TraceBackend, kernel: string, ...rest: unknown[]): unknown;
    recording(): { graph: { node: (...args: unknown[]) => unknown } };
  };
  const { lower } = prototype;
  prototype.lower = function (kernel, ...rest) {
    const operators = seen.get(kernel) ?? new Set<string>();
    seen.set(kernel, operators);
    const { graph } = (this as unknown as typeof prototype).recording();
    const { node } = graph;
    graph.node = (op, ...args) => {
      operators.add(op as string);
      return node.call(graph, op, ...args);
    };
    try {
      return lower.call(this, kernel, ...rest);
    } finally {
      graph.node = node;
    }
  };
  try {
    for (const { fn, inputs } of Object.values(FAMILIES).flatMap((c): Case[] => Object.values(c))) {
      traced(fn, inputs);
    }
  } finally {
    prototype.lower = lower;
  }
  return seen;
}

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;

/** OPS.md: every kernel with a lowering, the operators it may become, and what to know of it. */
export function opsDocument(seen: ReadonlyMap<string, ReadonlySet<string>>): string {
  const kernels = [...new Set([...Object.keys(LOWERINGS), ...Object.keys(COMPLEX)])].sort();
  const rows = kernels.map((kernel) => {
    const operators = [...(seen.get(kernel) ?? [])].sort().join(', ');
    return row(`\`${kernel}\``, operators || '–', NOTES[kernel] ?? '');
  });
  return [
    '# TensorFlow.js kernels in ONNX',
    '',
    `The ${kernels.length} kernels of TensorFlow.js that a trace can record, and the operators of`,
    `ONNX (opset ${FIRST_OPSET} to ${LAST_OPSET}) that they become. Which of the operators are written depends on the`,
    'arguments; a kernel whose inputs are all constants is computed while tracing and writes none.',
    'Gradients need no rows of their own: TensorFlow.js writes them with these kernels.',
    '',
    '`npm run ops` writes this file from the cases in `export/test/cases/`.',
    '',
    row('kernel', 'ONNX operators', 'notes'),
    row('---', '---', '---'),
    ...rows,
    '',
    '## Without an ONNX form',
    '',
    'Tracing one of these is an error that names it.',
    '',
    row('kernels', 'why'),
    row('---', '---'),
    ...ABSENT.map(([names, why]) => row(names, why)),
    '',
  ].join('\n');
}
