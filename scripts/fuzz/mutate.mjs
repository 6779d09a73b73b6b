/** Seeded changes to an input: of bytes, of the numbers in them, and of a JSON's structure. */

/** Marsaglia's xorshift32: whole numbers below `n`. The same seed gives the same numbers. */
export function random(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const pick = (below, list) => list[below(list.length)];

/** Numbers at which readers go wrong. */
const EDGES = [0, 1, 2, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const varint = (value) => {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
};

const joined = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));

/** What a user might have in place of the file. */
const FOREIGN = [
  '',
  '<!doctype html><html><title>404</title></html>',
  'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n',
  '\u001b[31mred\u001b[0m',
  '[]',
  'null',
  '[['.repeat(5000),
  '{"a":'.repeat(5000),
];

const BYTES = [
  (bytes, below) => bytes.subarray(0, below(bytes.length + 1)),
  (bytes, below) => {
    const copy = Buffer.from(bytes);
    for (let k = below(8); k >= 0; k--) copy[below(copy.length)] = below(256);
    return copy;
  },
  (bytes, below) => {
    const copy = Buffer.from(bytes);
    copy[below(copy.length)] ^= 1 << below(8);
    return copy;
  },
  (bytes, below) => {
    const [at, length] = [below(bytes.length), 1 + below(64)];
    return joined(bytes.subarray(0, at), bytes.subarray(at + length));
  },
  (bytes, below) => {
    const [at, from] = [below(bytes.length), below(bytes.length)];
    return joined(
      bytes.subarray(0, at),
      bytes.subarray(from, from + 1 + below(200)),
      bytes.subarray(at),
    );
  },
  // A number of protobuf in place of another.
  (bytes, below) => {
    const at = below(Math.min(bytes.length, 1 + below(bytes.length)));
    return joined(bytes.subarray(0, at), varint(pick(below, EDGES)), bytes.subarray(at + 1));
  },
  // A fixed-size number, of either byte order.
  (bytes, below) => {
    const copy = Buffer.from(bytes);
    if (copy.length < 4) return copy;
    const at = below(Math.min(copy.length - 3, 1 + below(copy.length)));
    if (below(2)) copy.writeUInt32LE(pick(below, EDGES), at);
    else copy.writeUInt32BE(pick(below, EDGES), at);
    return copy;
  },
  (_, below) => Buffer.from(pick(below, FOREIGN)),
];

/** Values in place of a JSON's. */
const VALUES = [
  ...[null, true, -1, 0.5, 1e308, 2 ** 53, '', 'x', '\u001b[2J', [], {}, [[]], ['__proto__']],
  ...EDGES,
];

/** Every place of a nested value, as [parent, key]. */
function places(value, found = []) {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    places(value[key], found);
  }
  return found;
}

/** The JSON with one to three of its values changed, removed, or swapped for another of its own. */
export function changedJson(json, below) {
  const copy = structuredClone(json);
  for (let k = below(3); k >= 0; k--) {
    const all = places(copy);
    if (all.length === 0) return copy;
    const [parent, key] = pick(below, all);
    const [other, name] = pick(below, all);
    const choice = below(4);
    if (choice === 0) delete parent[key];
    else if (choice === 1) parent[key] = structuredClone(other[name]);
    else if (choice === 2 && typeof parent[key] === 'number')
      parent[key] = parent[key] * pick(below, [-1, 0, 2, 1000, 1e6, 0.5]);
    else parent[key] = structuredClone(pick(below, VALUES));
  }
  return copy;
}

/** The bytes after one to three changes. */
export function changedBytes(bytes, below) {
  let changed = Buffer.from(bytes);
  for (let k = below(3); k >= 0; k--) {
    if (changed.length > 0) changed = pick(below, BYTES)(changed, below);
  }
  return changed;
}

const isKey = /^(\s*)([\w-]+):(.*)$/;

/** A text of `key: value` lines with some lines changed. */
export function changedLines(text, below) {
  const lines = text.split('\n');
  for (let k = below(4); k >= 0; k--) {
    const at = below(lines.length);
    const [, indent, key] = isKey.exec(lines[at]) ?? ['', '', '', 'x'];
    lines[at] = pick(below, [
      `${indent}${key}: ${JSON.stringify(pick(below, VALUES))}`,
      `${indent}${key}: ${'['.repeat(1 + below(4000))}`,
      `${indent}${key}: &a [*a, *a]`,
      `${indent}${key}: {${'a: {'.repeat(below(3000))}`,
      `${' '.repeat(below(9))}${lines[below(lines.length)].trim()}`,
      `${lines[at]}\n${'- '.repeat(1 + below(4000))}x`,
      '',
    ]);
  }
  return lines.join('\n');
}
