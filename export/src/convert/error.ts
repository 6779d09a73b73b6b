/**
 * A model or a request that cannot be exported. The message is one sentence that says what is wrong, where, and what
 * to do; a program prints the message alone.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

/** The first sentence of whatever was thrown, without its full stop: a part of another sentence. */
export const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (text.trim().split(/\n|\.\s(?=[A-Z])/)[0] ?? '').replace(/\.$/, '');
};
