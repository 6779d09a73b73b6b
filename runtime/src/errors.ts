/**
 * A mistake of the user's. The message is one sentence: what was wrong, where, and what to do.
 * Programs print the message alone, without a stack trace; the CLI exits with code 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/**
 * The first line of the message of whatever was thrown, without its final full stop, to be used
 * inside a sentence.
 */
export const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (text.trim().split('\n')[0] ?? '').replace(/\.$/, '');
};
