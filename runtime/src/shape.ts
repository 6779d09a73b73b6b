/** The number of elements of a tensor of this shape; 1 for the empty shape of a scalar. */
export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
