/** A contact sheet: small versions of some pictures of a folder, as a PNG. */
import { Images, type Picture, PREPARATION, prepare } from '@gpn/runtime';

/** The side of a small picture. */
const SIDE = 64;
/** Small pictures on a sheet at most: ten rows of ten. */
const MOST = 100;

/** A light grey, on which both black and white shapes are seen. */
const BACKGROUND: [number, number, number] = [208, 208, 208];

/** A sheet that is being filled. */
export interface ContactSheet {
  /** Takes a picture, if it is among those that are shown: as many, spread evenly over all. */
  add(picture: Picture, index: number, total: number): void;
  /** The bytes of a PNG; undefined if no picture was added. */
  toPNG(): Promise<Uint8Array | undefined>;
}

/** Begins a contact sheet. Pictures are shown completely, in the order of their indices. */
export function contactSheet(): ContactSheet {
  const shown = new Map<number, Float32Array>();
  return {
    add(picture, index, total) {
      const place = Math.floor((index * MOST) / total);
      if (total > MOST && Math.ceil((place * total) / MOST) !== index) return;
      const size = { height: SIDE, width: SIDE, channels: 3 };
      const how = { ...PREPARATION, fit: 'contain' as const, background: BACKGROUND };
      shown.set(index, Float32Array.from(prepare(picture, size, how)));
    },
    async toPNG() {
      if (shown.size === 0) return undefined;
      const small = [...shown].sort(([a], [b]) => a - b).map(([, pixels]) => pixels);
      const all = new Float32Array(small.length * SIDE * SIDE * 3);
      for (const [k, pixels] of small.entries()) all.set(pixels, k * SIDE * SIDE * 3);
      const columns = Math.min(10, small.length);
      return new Images(small.length, SIDE, SIDE, 3, [0, 255], all).toPNG({ columns, gap: 4 });
    },
  };
}
