/** Nested inputs and outputs: records and arrays whose leaves have names like `params/conv1/kernel`. */
export type Nested<T> = T | readonly Nested<T>[] | { readonly [key: string]: Nested<T> };

export interface Leaf<T> {
  readonly name: string;
  readonly leaf: T;
}

/** The leaves in the order of the keys, each with its path; a bare leaf is called `root`. */
export function flatten<T>(
  nested: unknown,
  isLeaf: (x: unknown) => x is T,
  root: string,
  path = '',
): Leaf<T>[] {
  if (isLeaf(nested)) return [{ name: path || root, leaf: nested }];
  if (typeof nested !== 'object' || nested === null) {
    throw new Error(
      `${path || root} is ${nested}, where a tensor, an array or a record of them is due`,
    );
  }
  const entries = Object.entries(nested);
  return entries.flatMap(([key, child]) =>
    flatten(child, isLeaf, root, path ? `${path}/${key}` : key),
  );
}

/** The same structure with each leaf replaced. */
export function mapLeaves<T, U>(
  nested: unknown,
  isLeaf: (x: unknown) => x is T,
  f: (leaf: T, name: string) => U,
  root: string,
  path = '',
): Nested<U> {
  if (isLeaf(nested)) return f(nested, path || root);
  const child = (c: unknown, key: string | number) =>
    mapLeaves(c, isLeaf, f, root, path ? `${path}/${key}` : `${key}`);
  if (Array.isArray(nested)) return nested.map(child);
  const entries = Object.entries(nested as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, c]) => [key, child(c, key)]));
}
