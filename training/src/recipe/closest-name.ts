import { distance } from 'fastest-levenshtein';

/** Ignores case, dashes, underscores and spaces. */
const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, '');

/**
 * The candidate that `word` is probably a misspelling of: the closest one, if at most a third of its
 * letters, and at most three, must be inserted, deleted or replaced.
 */
export function closestName(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.min(3, best.candidate.length / 3) ? best.candidate : undefined;
}
