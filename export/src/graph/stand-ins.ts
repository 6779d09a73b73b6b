/**
 * A size that is known only when the file runs has a stand-in while a function is traced: one number
 * in a first trace and another in a second. Whatever differs between the two graphs depends on it.
 */
export interface FreeDimension {
  readonly name: string;
  readonly size: number;
  readonly other: number;
}

/** In which of the two traces a stand-in stands. */
export type Which = 'size' | 'other';

/**
 * The sizes of inputs, and how much larger they are in the second trace. The sizes are primes, so that a
 * network's own sizes are unlikely to be multiples of them. How far a pair is apart is a prime too, so
 * that a size rounded to a multiple of 2, 3 or 29 does not pass for one plus a number; and no two pairs
 * are equally far apart.
 */
const OF_INPUTS = [
  [4093, 31],
  [2029, 37],
  [3011, 41],
  [1051, 43],
] as const;

/** How far apart stand-ins of results may be: other primes. */
const APART = [5, 7, 11, 13, 17, 19, 23, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97];

/** The largest stand-in for the size of a result, if there is no smaller bound. */
const MOST = 9973;

const isPrime = (n: number): boolean => {
  for (let k = 2; k * k <= n; k++) if (n % k === 0) return false;
  return n > 1;
};

/** The stand-ins of one trace. */
export class StandIns {
  private readonly results: FreeDimension[] = [];

  /**
   * @param axes the free dimensions of the inputs
   * @param known in a second trace, the dimensions of the first
   */
  constructor(
    private readonly axes: readonly FreeDimension[],
    private readonly which: Which,
    private readonly known?: readonly FreeDimension[],
  ) {}

  /** Every free dimension so far: those of the inputs first. */
  get dimensions(): readonly FreeDimension[] {
    return [...this.axes, ...this.results];
  }

  /** The numbers that stand for free sizes in this trace. */
  get sizes(): readonly number[] {
    return this.dimensions.map((dimension) => dimension[this.which]);
  }

  /** Those that stand for sizes of results, which depend on values. */
  get unknown(): readonly number[] {
    return this.results.map((dimension) => dimension[this.which]);
  }

  /** Forgets all sizes of results but the first ones: what was recorded with the others is not kept. */
  forget(kept: number): void {
    this.results.length = kept;
  }

  /**
   * A number for the size of a result that is known only at run time.
   * @param most the largest size that it can have: what computes with it may rely on that
   * @param occurs whether a number is a size in the graph already
   * @throws Error if no numbers are left that tell themselves from all others
   */
  next(most: number, occurs: (size: number) => boolean): number {
    const at = this.axes.length + this.results.length;
    const dimension = this.known ? this.known[at] : this.choose(most, occurs);
    if (!dimension) throw new Error('too many sizes depend on values');
    this.results.push(dimension);
    return dimension[this.which];
  }

  /** A small bound may leave no number below it. */
  private choose(most: number, occurs: (size: number) => boolean): FreeDimension | undefined {
    return this.unused(Math.min(most, MOST), occurs) ?? this.unused(MOST, occurs);
  }

  /** The largest prime that is no size yet, and a number that is as far from it as no other two are. */
  private unused(most: number, occurs: (size: number) => boolean): FreeDimension | undefined {
    const { dimensions, results } = this;
    const far = APART.find((n) => dimensions.every(({ size, other }) => other - size !== n));
    if (!far) return undefined;
    const taken = new Set(dimensions.flatMap(({ size, other }) => [size, other]));
    const name = `found${results.length === 0 ? '' : `_${results.length}`}`;
    // Both are less than the most, at which a function may take another way.
    for (let size = most - far - 1; size > 1; size--) {
      const free = isPrime(size) && !taken.has(size) && !taken.has(size + far) && !occurs(size);
      if (free) return { name, size, other: size + far };
    }
    return undefined;
  }
}

/** @throws Error if there are more names than stand-ins */
export function freeDimensions(names: readonly string[]): FreeDimension[] {
  return names.map((name, i) => {
    const pair = OF_INPUTS[i];
    if (!pair) throw new Error(`a traced function can have ${OF_INPUTS.length} free dimensions`);
    const [size, far] = pair;
    return { name, size, other: size + far };
  });
}
