/** What stands in place of a file when a download went wrong. */

const KINDS: readonly [pattern: RegExp, what: string][] = [
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: run `git lfs pull`'],
  [/^\s*<(!doctype )?html/i, 'a web page: download the file itself'],
  [/^\s*(<|\{)/, 'XML or JSON, perhaps a server error: download the file itself'],
];

/** What bytes are that should be a binary file, as the end of a sentence; undefined if unknown. */
export function foreignKind(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, 200));
  return KINDS.find(([pattern]) => pattern.test(start))?.[1];
}
