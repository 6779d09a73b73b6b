/** Trainings that a browser keeps, so that they go on after a reload. */
import { UserError } from '@gpn/runtime';
import { createStore, delMany, getMany, setMany } from 'idb-keyval';
import type { PageImages } from './data.js';

/** What is kept of a training beside its checkpoint, to show it again. */
export interface Kept {
  readonly step: number;
  readonly steps: number;
  readonly curves: Curves;
}

/** Losses by their names, each a list of averages over so many steps. */
export interface Curves {
  /** Steps of a point. */
  readonly every: number;
  readonly points: Readonly<Record<string, readonly number[]>>;
}

/** The place of one training in the browser's IndexedDB. */
export interface Store {
  /** What is shown of the training; undefined if there is none. */
  kept(): Promise<Kept | undefined>;
  checkpoint(): Promise<Uint8Array | undefined>;
  /** The images that it was started with, if they were the visitor's own. */
  images(): Promise<PageImages | undefined>;
  /** Keeps a checkpoint in place of the one before, whole or not at all. */
  save(checkpoint: Uint8Array, kept: Kept): Promise<void>;
  saveImages(images: PageImages): Promise<void>;
  clear(): Promise<void>;
}

const database = (() => {
  let opened: ReturnType<typeof createStore> | undefined;
  return () => {
    opened ??= createStore('gpn-trainings', 'trainings');
    return opened;
  };
})();

/**
 * The place of a training of this name.
 * Its methods reject with a UserError if the browser has no room, or lets the page keep nothing.
 */
export function storeOf(name: string): Store {
  const [kept, checkpoint, images] = ['kept', 'checkpoint', 'images'].map((part) => [
    name,
    part,
  ]) as [IDBValidKey, IDBValidKey, IDBValidKey];
  const one = async <T>(key: IDBValidKey): Promise<T | undefined> => {
    const [value] = await attempt(() => getMany<T>([key], database()));
    return value;
  };
  return {
    kept: () => one<Kept>(kept),
    checkpoint: () => one<Uint8Array>(checkpoint),
    images: () => one<PageImages>(images),
    save: (bytes, facts) =>
      attempt(() =>
        setMany(
          [
            [checkpoint, bytes],
            [kept, facts],
          ],
          database(),
        ),
      ),
    saveImages: (given) => attempt(() => setMany([[images, given]], database())),
    clear: () => attempt(() => delMany([kept, checkpoint, images], database())),
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error as Error;
    throw new UserError(
      name === 'QuotaExceededError'
        ? 'This browser has no more room for this site: the training goes on, but a reload loses what came since it was last kept. Free some space on the disk, or keep the files.'
        : `This browser lets the page keep nothing (${message}): the training goes on, but a reload loses it.`,
    );
  }
}
