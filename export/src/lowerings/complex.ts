import type { Builder } from '../graph/builder.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { type Lowering, lower } from './table.js';

/** Complex numbers are pairs in a last axis of size 2 that TF.js does not see. */
interface OfPairs {
  readonly lowering: Lowering;
  /** Whether its result is complex, too. */
  readonly complex: boolean;
}

const pairs = <I, A = object>(f: Parameters<typeof lower<I, A>>[0]): OfPairs => ({
  lowering: lower<I, A>(f),
  complex: true,
});
const parts = <I, A = object>(f: Parameters<typeof lower<I, A>>[0]): OfPairs => ({
  lowering: lower<I, A>(f),
  complex: false,
});

/** The real parts, 0, or the imaginary ones, 1. */
const part = (b: Builder, x: Value, which: 0 | 1): Value =>
  b.Gather(x, b.scalar(which, 'int32'), x.shape.length - 1);

/**
 * Discrete Fourier transforms along the last axis that TF.js sees. In a list of series it is the axis
 * that ONNX takes of itself, whatever the opset.
 */
function transform(b: Builder, x: Value, inverse: 0 | 1): Value {
  const [n] = x.shape.slice(-2) as [number, 2];
  const series = b.Reshape(x, [sizeOf(x.shape) / (2 * n), n, 2]);
  const [y] = b.op('DFT', [series], { inverse }, { shape: series.shape, dtype: x.dtype });
  return b.Reshape(y as Value, x.shape);
}

/** Kernels of complex tensors: the recorder asks this table where one of these is involved. */
export const COMPLEX: Readonly<Record<string, OfPairs>> = {
  Complex: pairs<{ real: Value; imag: Value }>(({ real, imag }, _, b) => {
    const last = real.shape.length;
    return b.Concat(
      [real, imag].map((x) => b.Reshape(x, [...x.shape, 1])),
      last,
    );
  }),
  Real: parts<{ input: Value }>(({ input }, _, b) => part(b, input, 0)),
  Imag: parts<{ input: Value }>(({ input }, _, b) => part(b, input, 1)),
  ComplexAbs: parts<{ x: Value }>(({ x }, _, b) =>
    b.Sqrt(b.reduce('ReduceSum', b.Mul(x, x), [x.shape.length - 1])),
  ),
  Reshape: pairs<{ x: Value }, { shape: number[] }>(({ x }, { shape }, b) =>
    b.Reshape(x, [...shape, 2]),
  ),
  FFT: pairs<{ input: Value }>(({ input }, _, b) => transform(b, input, 0)),
  IFFT: pairs<{ input: Value }>(({ input }, _, b) => transform(b, input, 1)),
};
