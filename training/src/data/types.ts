/** What data sets are: images in memory as bytes, channels last, with a hash that says which they are. */
export type Split = 'train' | 'test';

/** What a loader hands over. */
export interface Images {
  name: string;
  count: number;
  height: number;
  width: number;
  /** 1 grey, 3 RGB. */
  channels: number;
  /** `count` × `height` × `width` × `channels` (NHWC), 0 … 255. */
  images: Uint8Array;
  /** One for each image: the index of its class. */
  labels?: Uint8Array;
  /** The names of the classes; label k means classes[k]. */
  classes?: string[];
}

/** Images as bytes, as data sets have them and as files would keep them. */
export type Pictures = Pick<Images, 'count' | 'height' | 'width' | 'channels' | 'images'>;

export interface Dataset extends Images {
  /** SHA-256, hex: see {@link hashImages}. */
  hash: string;
}

export interface DatasetOptions {
  height: number;
  width: number;
  channels: number;
  /** `train` by default. */
  split?: Split;
  /** Keep the images of these classes alone; a digit may be a number. By default, all. */
  classes?: readonly (string | number)[];
  /** Called as images are decoded; reading an IDX file is too quick to call it. */
  onProgress?: (done: number, total: number) => void;
}
