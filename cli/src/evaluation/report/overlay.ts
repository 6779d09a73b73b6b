/** Maps over pictures, as RGB from 0 to 255: computed in float32, as images are, and rounded. */
import {
  type Detection,
  heatMap,
  highlights,
  type ModelInfo,
  type Picture,
  type ScoreMap,
} from '@gpn/runtime';
import { encodePNG } from '@gpn/runtime/write';

type Rgb = readonly [number, number, number];

/** The colour of a pixel of a picture of 1 to 4 channels. */
function colourOf({ data, width, height }: Picture): (pixel: number) => Rgb {
  const channels = data.length / (width * height);
  return (pixel) => {
    const at = (c: number) => data[pixel * channels + (channels < 3 ? 0 : c)] as number;
    return [at(0), at(1), at(2)];
  };
}

/** A heat map of [height, width, 4], through which the picture shows. */
export function overPicture(picture: Picture, heat: Uint8ClampedArray): Uint8ClampedArray {
  const colour = colourOf(picture);
  return Uint8ClampedArray.from({ length: picture.width * picture.height * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    return Math.fround(0.4 * (colour(pixel)[c] as number) + 0.6 * (heat[pixel * 4 + c] as number));
  });
}

/** What was found, [height, width, 4], over the picture in grey. */
export function overGrey(picture: Picture, marks: Uint8ClampedArray): Uint8ClampedArray {
  const colour = colourOf(picture);
  const rgb = new Uint8ClampedArray(picture.width * picture.height * 3);
  for (let pixel = 0; pixel < picture.width * picture.height; pixel++) {
    const [red, green, blue] = colour(pixel);
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    for (let c = 0; c < 3; c++) {
      const mark = marks[4 * pixel + c] as number;
      rgb[3 * pixel + c] = Math.fround(marks[4 * pixel + 3] ? 0.35 * grey + 0.65 * mark : grey);
    }
  }
  return rgb;
}

/** A map over its picture as a PNG: what was found over grey, or without a detection the scores as colours. */
export function mapPng(
  info: ModelInfo,
  map: ScoreMap,
  picture: Picture,
  found: Detection | undefined,
): Promise<Uint8Array> {
  const { width, height } = picture;
  const rgb = found
    ? overGrey(picture, highlights(info, found))
    : overPicture(picture, heatMap(map, width, height));
  return encodePNG(width, height, 3, new Uint8Array(rgb.buffer));
}
