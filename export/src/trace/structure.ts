/** Nested inputs and outputs: records and arrays whose leaves have names like `params/conv1/kernel`. */
export type Nested<T> = T | readonly Nested<T>[] | { readonly [key: string]: Nested<T> };

/** A leaf of a nested structure and its path, such as `params/conv1/kernel`. */
export interface Leaf<T> {
  readonly name: string;
  readonly leaf: T;
}

/**
 * The leaves in the order of the keys, each with its path.
 * @param root the name of a leaf that is not nested
 * @throws Error that gives the path of what is neither a leaf, an array nor a record
 */
export function flatten<T>(
  nested: unknown,
  isLeaf: (x: unknown) => x is T,
  root: string,
  path = '',
): Leaf<T>[] {
  if (isLeaf(nested)) return [{ name: path || root, leaf: nested }];
  if (typeof nested !== 'object' || nested === null) {
    throw new Error(
      `${path || root} is ${nested}: it has to be a tensor, or an array or a record of tensors`,
    );
  }
  const entries = Object.entries(nested);
  return entries.flatMap(([key, child]) =>
    flatten(child, isLeaf, root, path ? `${path}/${key}` : key),
  );
}

/** The same structure with each leaf replaced by `f` of it and of its path; see `flatten`. */
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
