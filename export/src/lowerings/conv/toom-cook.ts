/**
 * The matrices of fast convolution: those of Toom and Cook, transposed (Blahut, Fast Algorithms for
 * Signal Processing, chapter 5).
 */
import { range } from '../../graph/shapes.js';

/** A matrix by its rows. */
export type Rows = readonly (readonly number[])[];

/** How some outputs of a filter along an axis, a tile, are computed by one product for each point. */
export interface Form {
  readonly taps: number;
  /** Outputs that are computed together. */
  readonly tile: number;
  /** What each point takes of the tile + taps − 1 inputs that a tile sees. */
  readonly ofInputs: Rows;
  /** What each point takes of the taps. */
  readonly ofTaps: Rows;
  /** What each point gives to the outputs of its tile. */
  readonly ofOutputs: Rows;
}

/**
 * A filter and a tile are taken as polynomials, which are multiplied by their values at some points;
 * the value at infinity is the leading coefficient. The way from the values to the coefficients,
 * transposed, is what the inputs go.
 * @param points taps + tile − 1 different ones
 */
export function form(points: readonly number[], taps: number, tile: number): Form {
  const values = (size: number): Rows =>
    points.map((p) =>
      range(size).map((k) => (Number.isFinite(p) ? p ** k : Number(k === size - 1))),
    );
  return {
    taps,
    tile,
    ofInputs: transpose(inverse(values(points.length))),
    ofTaps: values(taps),
    ofOutputs: values(tile),
  };
}

const transpose = (rows: Rows): Rows =>
  range(rows.length).map((j) => rows.map((row) => row[j] as number));

/** The inverse of a square matrix, by Gauss and Jordan with the largest pivots. */
function inverse(square: Rows): Rows {
  const size = square.length;
  const identity = range(size).map((i) => range(size).map((j) => Number(i === j)));
  let rows = square.map((row, i) => [...row, ...(identity[i] as number[])]);
  for (const column of range(size)) {
    const at = (row: readonly number[]) => Math.abs(row[column] as number);
    const below = rows.slice(column);
    const pivot = below.reduce((largest, row) => (at(row) > at(largest) ? row : largest));
    const unit = pivot.map((x) => x / (pivot[column] as number));
    const others = [...rows.slice(0, column), ...below.filter((row) => row !== pivot)];
    const cleared = others.map((row) =>
      row.map((x, k) => x - (row[column] as number) * (unit[k] as number)),
    );
    rows = [...cleared.slice(0, column), unit, ...cleared.slice(column)];
  }
  return rows.map((row) => row.slice(size).map((x) => x + 0)); // no −0
}
