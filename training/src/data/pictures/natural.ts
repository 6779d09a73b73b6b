/** The order of names that people expect: 1, 2, …, 12, and not 1, 10, 11, 12, 2. */

/** Compares names: runs of digits as numbers, all else by code units. Total, and the same everywhere. */
export function natural(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let k = 0; k < Math.min(left.length, right.length); k++) {
    const order = comparePart(left[k] as string, right[k] as string);
    if (order !== 0) return order;
  }
  return left.length - right.length || compare(a, b);
}

const partsOf = (name: string): string[] => name.match(/\d+|\D+/g) ?? [];

function comparePart(a: string, b: string): number {
  if (!/^\d/.test(a) || !/^\d/.test(b)) return compare(a, b);
  const [x, y] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return x.length - y.length || compare(x, y);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
