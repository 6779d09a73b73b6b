/** What is opened when it is first asked for, and closed with the rest. */

/** Opens each of some things once. If that fails, it is tried again when it is next asked for. */
export function openedOnce<Key, Opened extends { dispose(): Promise<void> }>(
  open: (key: Key) => Promise<Opened>,
) {
  const all = new Map<Key, Promise<Opened>>();
  return {
    get(key: Key): Promise<Opened> {
      const opening =
        all.get(key) ??
        open(key).catch((error: unknown) => {
          all.delete(key);
          throw error;
        });
      all.set(key, opening);
      return opening;
    },
    async dispose(): Promise<void> {
      const opened = await Promise.allSettled(all.values());
      await Promise.all(opened.map((one) => one.status === 'fulfilled' && one.value.dispose()));
    },
  };
}
