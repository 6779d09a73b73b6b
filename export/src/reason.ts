/** The first sentence of whatever was thrown, without its full stop: a part of another sentence. */
export const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (text.trim().split(/\n|\.\s(?=[A-Z])/)[0] ?? '').replace(/\.$/, '');
};
