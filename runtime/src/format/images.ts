import { UserError } from '../errors.js';
import type { ModelInfo } from './model-info.js';
import { MAX_PIXELS } from './pictures/picture.js';

/** How a grid of images is laid out. */
export interface GridOptions {
  /** Images in a row, from 1; by default the square root of their number, rounded up. */
  columns?: number;
  /** Pixels between images, from 0; 2 by default. They are black, with alpha transparent. */
  gap?: number;
}

/** Images side by side: `pixels` is [height, width, channels], with 1, 3 or 4 channels of 8 bits. */
export interface Grid {
  width: number;
  height: number;
  channels: number;
  pixels: Uint8Array;
}

/** The shape of one image of a model: [height, width, channels]. */
export const imageShape = ({ image }: ModelInfo): number[] => [
  image.height,
  image.width,
  image.channels,
];

/** The shape of one input of a model that takes images: of one image, or of several that are scored as one. */
export const inputShape = ({ image, packing = 1 }: ModelInfo): number[] => [
  image.height,
  image.width,
  packing * image.channels,
];

/**
 * Images as a generator draws them: `data` is [count, height, width, channels], float32, in row-major
 * order. `range` is the model's range of values, but a generator may exceed it.
 */
export class Images {
  constructor(
    readonly count: number,
    readonly height: number,
    readonly width: number,
    readonly channels: number,
    readonly range: readonly [low: number, high: number],
    readonly data: Float32Array,
  ) {
    if (data.length !== count * height * width * channels) {
      throw new RangeError(
        `${data.length} values are not ${count} images of ${height}×${width}×${channels}`,
      );
    }
  }

  /** All values as bytes: `range` becomes 0 to 255, and values outside of it are clamped. */
  toUint8(): Uint8Array {
    const [low, high] = this.range;
    const scale = 255 / (high - low);
    // A clamped array rounds to the nearest number (halves to even) and turns NaN into 0.
    const bytes = new Uint8ClampedArray(this.data.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = ((this.data[i] as number) - low) * scale;
    return new Uint8Array(bytes.buffer);
  }

  /**
   * All images in one grid, row by row from the top left.
   *
   * @throws UserError if the grid would have more than 2^28 pixels, or `columns` is not valid
   */
  toGrid(options: GridOptions = {}): Grid {
    const { count, height, width, channels } = this;
    const { columns = Math.ceil(Math.sqrt(count)), gap = 2 } = options;
    if (!Number.isInteger(columns) || columns < 1) {
      throw new UserError(`The number of columns must be a whole number from 1, not ${columns}.`);
    }
    const across = Math.min(columns, count);
    const rows = Math.ceil(count / across);
    const gridWidth = across * (width + gap) - gap;
    const gridHeight = rows * (height + gap) - gap;
    if (gridWidth * gridHeight > MAX_PIXELS) {
      throw new UserError(
        `A grid of ${gridWidth} × ${gridHeight} pixels is too large: draw fewer images at once.`,
      );
    }
    const bytes = this.toUint8();
    if (count === 1) return { width, height, channels, pixels: bytes };
    const pixels = new Uint8Array(gridWidth * gridHeight * channels);
    const line = width * channels;
    for (let k = 0; k < count; k++) {
      const top = Math.floor(k / across) * (height + gap);
      const left = (k % across) * (width + gap);
      for (let y = 0; y < height; y++) {
        const from = (k * height + y) * line;
        pixels.set(bytes.subarray(from, from + line), ((top + y) * gridWidth + left) * channels);
      }
    }
    return { width: gridWidth, height: gridHeight, channels, pixels };
  }

  /** The grid as the bytes of a PNG file. Throws what `toGrid` throws. */
  async toPNG(options: GridOptions = {}): Promise<Uint8Array> {
    const { width, height, channels, pixels } = this.toGrid(options);
    const { encodePNG } = await import('./png.js');
    return encodePNG(width, height, channels, pixels);
  }

  /** In a browser: the grid as RGBA pixels for a canvas. Throws what `toGrid` throws. */
  toImageData(options: GridOptions = {}): ImageData {
    const { width, height, channels, pixels } = this.toGrid(options);
    const image = new ImageData(width, height);
    const rgba = image.data;
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) {
        rgba[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)] as number;
      }
      rgba[4 * i + 3] = channels === 4 ? (pixels[4 * i + 3] as number) : 255;
    }
    return image;
  }

  /**
   * In a browser: makes the canvas as large as the grid and draws the grid there.
   *
   * @throws UserError if the canvas has a context other than 2d, or as `toGrid` does
   */
  draw(canvas: HTMLCanvasElement | OffscreenCanvas, options: GridOptions = {}): void {
    const image = this.toImageData(options);
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D | null;
    if (context === null)
      throw new UserError('The canvas has a context other than 2d: give another canvas.');
    context.putImageData(image, 0, 0);
  }

  /** Each image as the bytes of its own PNG file. */
  async toPNGs(): Promise<Uint8Array[]> {
    const { encodePNG } = await import('./png.js');
    const { count, height, width, channels } = this;
    const pixels = this.toUint8();
    const size = height * width * channels;
    return Promise.all(
      Array.from({ length: count }, (_, k) =>
        encodePNG(width, height, channels, pixels.subarray(k * size, (k + 1) * size)),
      ),
    );
  }
}
