/**
 * A model or a wish that cannot be exported: one sentence that says what is wrong, where, and what
 * to do. Programs print the message alone.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

/** The first sentence of whatever was thrown, without its full stop: a part of another sentence. */
export const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (text.trim().split(/\n|\.\s(?=[A-Z])/)[0] ?? '').replace(/\.$/, '');
};
