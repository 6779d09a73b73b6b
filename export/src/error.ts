/**
 * A model or a request that cannot be exported. The message is one sentence that says what is wrong, where, and what
 * to do; a program prints the message alone.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}
