/** Types of data sets: images in memory as bytes, channels last, identified by a hash. */
import type { Preparation } from '@gpn/runtime';

/** The part of a data set. */
export type Split = 'train' | 'test';

/** Images as a loader returns them. */
export interface Images {
  name: string;
  count: number;
  height: number;
  width: number;
  /** 1 for grey, 3 for RGB, 4 for RGBA. */
  channels: number;
  /** [count, height, width, channels] (NHWC), 0 to 255; nothing if there is a store. */
  images: Uint8Array;
  /** Where the images are, if they are too many for the memory. `rowsAt` reads them from either. */
  store?: ImageStore;
  /** The class of each image, as an index into `classes`. */
  labels?: Uint8Array;
  /** The names of the classes. */
  classes?: string[];
  /** How often each class is there, 0 to 1; missing for named data, which counts as balanced. */
  shares?: number[];
  /** Files of a folder that could not be read and were left out, each with the reason. */
  unread?: { file: string; reason: string }[];
}

/** Images as bytes, without labels. */
export type Pictures = Pick<Images, 'count' | 'height' | 'width' | 'channels' | 'images' | 'store'>;

/** A file that begins with the pixels of images, one after the other. */
export interface ImageStore {
  readonly path: string;
  /** The place of each image in the file; by default in their order. */
  readonly places?: Uint32Array;
}

/** Images with the hash that identifies them. */
export interface Dataset extends Images {
  /** SHA-256 in hex; see `hashImages`. */
  hash: string;
}

/** What to load. */
export interface DatasetOptions {
  height: number;
  width: number;
  channels: number;
  /** `train` by default. */
  split?: Split;
  /** Names of the classes to keep; a digit may be a number. All by default. */
  classes?: readonly (string | number)[];
  /** How pictures of a folder become images; `PREPARATION` of `@gpn/runtime` by default. */
  preparation?: Preparation | undefined;
  /**
   * So many images are cut out of each picture of a folder at its own size, instead of making one of it.
   */
  crops?: number | undefined;
  /** So many pictures of a folder without a test set, drawn from a fixed seed, are its test set. */
  heldOut?: number | undefined;
  /** Goes on without the pictures of a folder that cannot be read, instead of throwing. */
  skipUnreadable?: boolean | undefined;
  /** The folder in which decoded folders of pictures are kept; without one, nothing is kept. */
  cache?: string | undefined;
  /** Bytes above which such images stay in the cache; by default a quarter of the memory. */
  memory?: number | undefined;
  /** Called after each decoded image file; not called for IDX and CIFAR-10 files. */
  onProgress?: (done: number, total: number) => void;
  /** Called with sentences about what was read of a folder and what was not. */
  onNote?: (text: string) => void;
}
