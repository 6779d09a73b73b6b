/** Score maps of a picture at all scales of a model. */
import { UserError } from '../../errors.js';
import type { ModelInfo } from '../../format/model-info.js';
import type { Picture } from '../../format/pictures/picture.js';
import { reduced, reducedSize } from '../../format/pictures/reduced.js';
import type { BatchOptions } from '../../session/batches.js';
import { fitted, type Windows, windowsOf } from '../dense-map.js';
import type { ScoreMap } from './scores.js';

/** How a score map is computed, and what else the model needs to know. */
type Options = BatchOptions & { stride?: number };

/** Scores the windows of a picture at one scale; `pixels` are [height, width, channels] in the model's range. */
type MakeMap<O> = (
  pixels: Float32Array,
  size: { width: number; height: number },
  places: Windows,
  options: O,
) => Promise<ScoreMap>;

/** What `DiscriminatorModel.scoreMap` does; here, because most pages only draw. */
export async function scoreMapOf<O extends Options>(
  info: ModelInfo,
  image: Picture,
  options: O,
  make: MakeMap<O>,
): Promise<ScoreMap> {
  const given = info.fragment?.scales ?? [1];
  if (given[0] !== 1 || given.some((scale, k) => k > 0 && scale <= (given[k - 1] as number))) {
    throw new UserError(
      `${info.name} has invalid metadata: fragment.scales should begin with 1 and rise, not be ${given.join(', ') || 'empty'}.`,
    );
  }
  const scales = given.map((scale) => ({
    scale,
    places: windowsOf(image, info, options.stride, scale),
  }));
  const total = scales.reduce((sum, { places }) => sum + places.rows * places.columns, 0);
  const pixels = fitted(image, info.image);
  const maps: ScoreMap[] = [];
  let before = 0;
  for (const { scale, places } of scales) {
    const own = scale === 1 ? pixels : reduced(pixels, image, info.image.channels, scale);
    const from = before;
    const onProgress = (done: number) => options.onProgress?.(from + done, total);
    const map = await make(own, reducedSize(image, scale), places, { ...options, onProgress });
    maps.push(enlarged(map, scale));
    before += map.values.length;
  }
  const [finest, ...coarser] = maps as [ScoreMap, ...ScoreMap[]];
  return { ...finest, ...(coarser.length > 0 && { coarser }) };
}

/** A map of a reduced picture, in pixels of the picture itself. */
function enlarged(map: ScoreMap, scale: number): ScoreMap {
  const { x, y, width, height } = map.first;
  const first = { x: scale * x, y: scale * y, width: scale * width, height: scale * height };
  return { ...map, stride: scale * map.stride, first };
}
