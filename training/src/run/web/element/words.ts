/** How the element says things. */
import { UserError } from '@gpn/runtime';

/** `12 minutes`, `40 seconds`, `2 hours`: a time that is left, roughly. */
export function roughly(seconds: number): string {
  const units: readonly [string, number, number][] = [
    ['second', 1, 90],
    ['minute', 60, 90 * 60],
    ['hour', 3600, 48 * 3600],
    ['day', 86_400, Number.POSITIVE_INFINITY],
  ];
  const [unit, size] = units.find(([, , most]) => seconds < most) as [string, number, number];
  const count = Math.max(1, Math.round(seconds / size));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What engines say when they can have no more memory. */
const OUT_OF_MEMORY = /bad_alloc|out of memory|allocation failed|failed to allocate|memory limit/i;

/** What went wrong, as a sentence for the visitor. */
export function sentenceFor(error: unknown): string {
  const { name, message } = error as Error;
  if (OUT_OF_MEMORY.test(message)) {
    return `There is not enough memory for this training (${message.replace(/\.$/, '')}): close other tabs, or use a step of a smaller network, smaller images or a smaller batch.`;
  }
  return error instanceof UserError || name === 'UserError'
    ? message
    : `The training failed: ${message}`;
}
