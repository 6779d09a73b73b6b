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
 * The sizes of inputs: primes, so that a network's own sizes are unlikely to be multiples of them. No
 * two pairs, here and below, are equally far apart.
 */
const OF_INPUTS = [
  [4093, 4099],
  [2029, 2063],
  [3011, 3049],
  [1051, 1097],
] as const;

/** The sizes of results that depend on values, such as how many boxes are kept; primes, too. */
const OF_RESULTS = [
  [7001, 7013],
  [5003, 5021],
  [6007, 6029],
  [8009, 8039],
  [9001, 9043],
  [1399, 1453],
  [1601, 1663],
  [1801, 1867],
  [2203, 2273],
  [2503, 2579],
  [2803, 2887],
  [3203, 3301],
] as const;

/** The stand-ins of one trace. */
export class StandIns {
  private readonly results: FreeDimension[] = [];

  /** @param axes the free dimensions of the inputs */
  constructor(
    private readonly axes: readonly FreeDimension[],
    private readonly which: Which,
  ) {}

  /** Every free dimension so far: those of the inputs first. */
  get dimensions(): readonly FreeDimension[] {
    return [...this.axes, ...this.results];
  }

  /** The numbers that stand for free sizes in this trace. */
  get sizes(): readonly number[] {
    return this.dimensions.map((dimension) => dimension[this.which]);
  }

  /** A number for the size of a result that is known only at run time. */
  next(): number {
    const at = this.results.length;
    const pair = OF_RESULTS[at];
    if (!pair) {
      throw new Error(
        `more than ${OF_RESULTS.length} results have sizes that depend on values: no more can be traced`,
      );
    }
    const [size, other] = pair;
    this.results.push({ name: `found${at === 0 ? '' : `_${at}`}`, size, other });
    return pair[this.which === 'size' ? 0 : 1];
  }
}

/** @throws Error if there are more names than stand-ins */
export function freeDimensions(names: readonly string[]): FreeDimension[] {
  return names.map((name, i) => {
    const pair = OF_INPUTS[i];
    if (!pair) throw new Error(`a traced function can have ${OF_INPUTS.length} free dimensions`);
    const [size, other] = pair;
    return { name, size, other };
  });
}
