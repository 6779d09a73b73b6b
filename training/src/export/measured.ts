/** Measures running statistics by a graph that was traced before. Nothing here knows of Node. */
import { product, type Session, stream, type TensorData } from '@gpn/runtime';
import { type Draw, drawn, type Shares } from '../data/feeds/feeds.js';
import { floats } from '../data/tensors.js';
import { mapRecord, under } from '../records.js';

/** Images of a pass, and passes. The last twenty make up most of a running average. */
export const [BATCH, PASSES] = [256, 40];

/** The input of labels; other classes are categories, which a training draws equally often. */
const LABELS = 'conditions/labels';

/** What to draw in each pass, and what comes of it. */
export interface StatisticsPlan {
  readonly seed: number;
  /** The share of its old value that a running statistic keeps. */
  readonly kept: number;
  /** The inputs that are drawn, in this order. */
  readonly draws: Readonly<Record<string, Draw>>;
  /** The shapes of the statistics, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/** How statistics are measured. */
export interface MeasuringOptions {
  readonly shares?: Shares | undefined;
  readonly passes?: number | undefined;
}

/**
 * Measures running statistics on images drawn with these weights.
 * @param session of the graph that the plan was made with: one pass
 * @param weights its inputs `weights/…`, by name
 * @param options.shares how often each class is drawn: as often as in training, so that the statistics are
 *   those of the same images; equally often by default
 * @param options.passes fewer are quicker and less exact
 */
export async function measuredBy(
  session: Session,
  { seed, kept, draws, shapes }: StatisticsPlan,
  weights: Readonly<Record<string, TensorData>>,
  { shares, passes = PASSES }: MeasuringOptions = {},
): Promise<Record<string, TensorData>> {
  let running = mapRecord(shapes, (shape) => floats(shape, new Float32Array(product(shape))));
  for (let pass = 0; pass < passes; pass++) {
    const random = stream(seed, 'statistics', pass);
    const outputs = await session.run({
      ...under('weights', weights),
      ...under('before', running),
      ...mapRecord(draws, (draw, name) =>
        drawn(
          name === LABELS && draw.kind === 'classes' && shares ? { ...draw, shares } : draw,
          random,
        ),
      ),
    });
    running = mapRecord(shapes, (_, name) => outputs[`after/${name}`] as TensorData);
  }
  // They started at 0; remove the remaining share of that.
  const seen = 1 - kept ** passes;
  const share = (x: number) => x / seen;
  return mapRecord(running, ({ shape, data }) =>
    floats(shape, Float32Array.from(data as Float32Array, share)),
  );
}
