/** Small functions of shapes and permutations; a permutation lists, per new axis, the old one. */

type Shape = readonly number[];

/** The number of elements of a tensor. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** The shape two operands broadcast to, by the rules NumPy, TF.js and ONNX share. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new Error(`the shapes [${a}] and [${b}] do not broadcast`);
    }
    return x === 1 ? y : x;
  });
}

export const permute = <T>(xs: readonly T[], perm: Shape): T[] => perm.map((p) => xs[p] as T);

export const isIdentity = (perm: Shape): boolean => perm.every((p, i) => p === i);

export function inverse(perm: Shape): number[] {
  const result: number[] = [];
  perm.forEach((p, i) => {
    result[p] = i;
  });
  return result;
}

/** Whether a permutation leaves the elements in their order, since only axes of size 1 move. */
export function movesOnlyUnits(shape: Shape, perm: Shape): boolean {
  const kept = perm.filter((p) => shape[p] !== 1);
  return kept.every((p, i) => i === 0 || p > (kept[i - 1] as number));
}

export function stridesOf(shape: Shape): number[] {
  const strides: number[] = new Array(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) {
    strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number);
  }
  return strides;
}

export const range = (n: number, from = 0): number[] =>
  Array.from({ length: n }, (_, i) => i + from);
