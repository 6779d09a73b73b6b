import { stream } from '@gpn/runtime';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import {
  eigenvalues,
  factorOf,
  leadingVectors,
  type Symmetric,
  sandwich,
} from '../../src/evaluation/metrics/symmetric.js';

/** XᵀX of `rows` random rows: of full rank if they are as many as its size. */
function gram(size: number, rows: number, seed: number): { x: Matrix; a: Symmetric } {
  const x = Matrix.from1DArray(rows, size, stream(seed, 'gram').normal(rows * size));
  return { x, a: { size, data: Float64Array.from(x.transpose().mmul(x).to1DArray()) } };
}

const matrixOf = ({ size, data }: Symmetric) => Matrix.from1DArray(size, size, data);
const sorted = (values: ArrayLike<number>) => Array.from(values).sort((a, b) => b - a);
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] as number))));

const CASES: [size: number, rank: number][] = [
  [1, 1],
  [2, 2],
  [40, 40],
  [40, 12],
  [65, 3],
];

describe('symmetric matrices', () => {
  test.each(CASES)('of size %i and rank %i have ml-matrix’s eigenvalues', (size, rank) => {
    const { a } = gram(size, rank, 1);
    const right = sorted(
      new EigenvalueDecomposition(matrixOf(a), { assumeSymmetric: true }).realEigenvalues,
    );
    expect(distance(sorted(eigenvalues(a)), right)).toBeLessThan(
      1e-12 * size * (right[0] as number),
    );
  });

  test('that are diagonal or zero have their diagonal as eigenvalues', () => {
    const diagonal = { size: 4, data: Float64Array.from(Matrix.diag([3, 0, -2, 5]).to1DArray()) };
    expect(sorted(eigenvalues(diagonal))).toEqual([5, 3, 0, -2]);
    expect(sorted(eigenvalues({ size: 3, data: new Float64Array(9) }))).toEqual([0, 0, 0]);
  });

  test.each(CASES)('of size %i and rank %i are FᵀF, with as many rows', (size, rank) => {
    const { a } = gram(size, rank, 2);
    const { rows, data } = factorOf(a);
    expect(rows).toBeGreaterThanOrEqual(rank);
    const f = Matrix.from1DArray(rows, size, data);
    const scale = Math.max(...a.data);
    expect(distance(f.transpose().mmul(f).to1DArray(), a.data)).toBeLessThan(1e-13 * size * scale);
    const { a: b } = gram(size, size, 3);
    const right = f.mmul(matrixOf(b)).mmul(f.transpose()).to1DArray();
    const found = sandwich({ rows, size, data }, b);
    expect(distance(found.data, right)).toBeLessThan(1e-12 * size * Math.max(...right));
  });

  test('have ml-matrix’s leading eigenvectors, but for their signs', () => {
    const { x } = gram(30, 60, 4);
    for (let i = 0; i < 60; i++) x.set(i, 7, 4 * x.get(i, 7));
    for (let i = 0; i < 60; i++) x.set(i, 20, 2 * x.get(i, 20));
    const m = x.transpose().mmul(x);
    const { eigenvectorMatrix } = new EigenvalueDecomposition(m, { assumeSymmetric: true });
    const right = [29, 28].map((column) => eigenvectorMatrix.getColumn(column));
    const found = leadingVectors({ size: 30, data: Float64Array.from(m.to1DArray()) }, 2);
    found.forEach((vector, k) => {
      const along = vector.reduce((sum, value, i) => sum + value * (right[k]?.[i] as number), 0);
      expect(Math.abs(along)).toBeCloseTo(1, 9);
    });
  });
});
