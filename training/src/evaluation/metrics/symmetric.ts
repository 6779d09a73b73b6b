/**
 * Symmetric matrices as rows in one array, in float64. The libraries at hand compute eigenvectors with
 * every eigenvalue, which takes ten times as long.
 */

/** A symmetric matrix, [size, size]. */
export interface Symmetric {
  readonly size: number;
  readonly data: Float64Array;
}

/** A matrix of `rows` rows of `size` numbers. */
interface Factor {
  readonly rows: number;
  readonly size: number;
  readonly data: Float64Array;
}

/**
 * F with A = Fᵀ F, of a positive semidefinite A: Cholesky's, which takes the largest pivot left at each
 * step and ends when there is none above rounding, so that it has as many rows as A has rank.
 */
export function factorOf({ size, data }: Symmetric): Factor {
  const out = new Float64Array(size * size);
  const left = Float64Array.from({ length: size }, (_, i) => data[i * (size + 1)] as number);
  const least = Number.EPSILON * left.reduce((most, x) => Math.max(most, x), 0);
  const done = new Set<number>();
  while (done.size < size) {
    const pivot = left.reduce((best, x, i) => (x > (left[best] as number) ? i : best), 0);
    const value = left[pivot] as number;
    if (value <= least) break;
    const at = done.size * size;
    const row = out.subarray(at, at + size);
    row.set(data.subarray(pivot * size, (pivot + 1) * size));
    for (let k = 0; k < at; k += size) addScaled(row, -(out[k + pivot] as number), out, k);
    const scale = 1 / Math.sqrt(value);
    for (let j = 0; j < size; j++) {
      row[j] = (row[j] as number) * scale;
      left[j] = (left[j] as number) - (row[j] as number) ** 2;
    }
    // What is exact only without rounding, and spares work: rows are 0 where others had their pivots.
    for (const earlier of done) row[earlier] = 0;
    done.add(pivot);
    for (const earlier of done) left[earlier] = 0;
  }
  return { rows: done.size, size, data: out.subarray(0, done.size * size) };
}

/** F A Fᵀ. */
export function sandwich({ rows, size, data: f }: Factor, { data: a }: Symmetric): Symmetric {
  const out = new Float64Array(rows * rows);
  const row = new Float64Array(size);
  for (let i = 0; i < rows; i++) {
    row.fill(0);
    for (let k = 0; k < size; k++) {
      const x = f[i * size + k] as number;
      if (x !== 0) addScaled(row, x, a, k * size);
    }
    for (let j = 0; j <= i; j++) {
      const at = j * size;
      let sum = 0;
      for (let k = 0; k < size; k++) sum += (row[k] as number) * (f[at + k] as number);
      out[i * rows + j] = sum;
      out[j * rows + i] = sum;
    }
  }
  return { size: rows, data: out };
}

/** Adds `scale` times the row of a matrix that begins at `from`. */
function addScaled(to: Float64Array, scale: number, matrix: Float64Array, from: number): void {
  for (let j = 0; j < to.length; j++) {
    to[j] = (to[j] as number) + scale * (matrix[from + j] as number);
  }
}

/** The eigenvalues of a symmetric matrix, in no order: Householder's reflections, then the QL method. */
export function eigenvalues(matrix: Symmetric): Float64Array {
  const { diagonal, beside } = tridiagonal(matrix);
  return eigenvaluesOfTridiagonal(diagonal, beside);
}

/** A tridiagonal matrix with the same eigenvalues (Golub & Van Loan, algorithm 8.3.1). */
function tridiagonal({ size, data }: Symmetric) {
  const a = data.slice(); // only its lower triangle is kept up to date
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  const [v, w] = [new Float64Array(size), new Float64Array(size)];
  for (let k = 0; k < size; k++) {
    diagonal[k] = a[k * (size + 1)] as number;
    let squares = 0;
    for (let i = k + 1; i < size; i++) {
      v[i] = a[i * size + k] as number;
      squares += (v[i] as number) ** 2;
    }
    if (squares === 0) continue;
    const first = v[k + 1] as number;
    const length = first > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    beside[k] = length;
    v[k + 1] = first - length;
    const scale = 1 / (squares - first * length); // 2 / |v|²
    w.fill(0, k + 1);
    for (let i = k + 1; i < size; i++) {
      const [row, vi] = [i * size, v[i] as number];
      let sum = (a[row + i] as number) * vi;
      for (let j = k + 1; j < i; j++) {
        const x = a[row + j] as number;
        sum += x * (v[j] as number);
        w[j] = (w[j] as number) + x * vi;
      }
      w[i] = (w[i] as number) + sum;
    }
    let along = 0;
    for (let i = k + 1; i < size; i++) {
      w[i] = (w[i] as number) * scale;
      along += (w[i] as number) * (v[i] as number);
    }
    const half = (along * scale) / 2;
    for (let i = k + 1; i < size; i++) w[i] = (w[i] as number) - half * (v[i] as number);
    for (let i = k + 1; i < size; i++) {
      const [row, vi, wi] = [i * size, v[i] as number, w[i] as number];
      for (let j = k + 1; j <= i; j++) {
        a[row + j] = (a[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
      }
    }
  }
  return { diagonal, beside };
}

/** Implicit QL steps with Wilkinson's shift, from the top down. `d` and `e` are overwritten. */
function eigenvaluesOfTridiagonal(d: Float64Array, e: Float64Array): Float64Array {
  const at = (values: Float64Array, i: number) => values[i] as number;
  const splits = (i: number) =>
    Math.abs(at(e, i)) <= Number.EPSILON * (Math.abs(at(d, i)) + Math.abs(at(d, i + 1)));
  for (let top = 0; top < d.length; top++) {
    for (;;) {
      let end = top;
      while (end < d.length - 1 && !splits(end)) end++;
      if (end === top) break;
      const ratio = (at(d, top + 1) - at(d, top)) / (2 * at(e, top));
      const root = Math.sqrt(ratio * ratio + 1);
      let g = at(d, end) - at(d, top) + at(e, top) / (ratio + (ratio < 0 ? -root : root));
      let [sine, cosine, shift] = [1, 1, 0];
      let i = end - 1;
      for (; i >= top; i--) {
        const [f, b] = [sine * at(e, i), cosine * at(e, i)];
        const r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) break;
        [sine, cosine] = [f / r, g / r];
        g = at(d, i + 1) - shift;
        const turned = (at(d, i) - g) * sine + 2 * cosine * b;
        shift = sine * turned;
        d[i + 1] = g + shift;
        g = cosine * turned - b;
      }
      if (i >= top) d[i + 1] = at(d, i + 1) - shift;
      else {
        d[top] = at(d, top) - shift;
        e[top] = g;
      }
      e[end] = 0;
    }
  }
  return d;
}

/**
 * The eigenvectors of the `count` largest eigenvalues of a positive semidefinite matrix, by orthogonal
 * iteration: exact enough for a plot, also where eigenvalues are close to one another.
 */
export function leadingVectors({ size, data }: Symmetric, count: number): Float64Array[] {
  let vectors: Float64Array[] = Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length: size }, (_, i) => Math.cos((k + 1) * (i + 1))),
  );
  for (let step = 0; step < 200; step++) {
    const found: Float64Array[] = [];
    for (const vector of vectors) {
      const next = new Float64Array(size);
      for (let i = 0; i < size; i++) addScaled(next, vector[i] as number, data, i * size);
      for (const before of found) addScaled(next, -dot(next, before), before, 0);
      const length = Math.sqrt(dot(next, next)) || 1;
      found.push(next.map((x) => x / length));
    }
    vectors = found;
  }
  return vectors;
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
