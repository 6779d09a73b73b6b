/** The accuracy of a fragment discriminator on images that it was not trained on. */
import { spec, trace } from '@gpn/export/trace';
import type { Network } from '@gpn/models';
import { openSession, type QualityInfo, stream } from '@gpn/runtime';
import { sideOf } from '../data/fragments/corners.js';
import {
  type FragmentOptions,
  fragmentBatch,
  kindsOf,
  viewCount,
} from '../data/fragments/fragments.js';
import type { Images } from '../data/types.js';
import { constants, tensorsBelow } from '../engine/state.js';
import type { State } from '../engine/types.js';
import { margins } from '../steps/predictive.js';

/** Number of fragments, each classified in all kinds, and number of fragments in a batch. */
const FRAGMENTS = 5000;
const AT_ONCE = 100;

/** Alterations that are measured, whatever the discriminator was trained on; and those that it was. */
const NEGATIVES = { noise: 1, blur: 1, mismatch: 1, gaussian: 1 };

/**
 * The share of correctly classified examples of each kind, real or altered.
 *
 * @param heldOut images that were not used for training
 * @param trained the options of the training
 * @returns one value from 0 to 1 for each kind
 */
export async function fragmentAccuracy(
  discriminator: Network,
  state: State,
  heldOut: Images,
  trained: FragmentOptions,
): Promise<QualityInfo[]> {
  const options = { ...trained, negatives: { ...NEGATIVES, ...trained.negatives } };
  const kinds = kindsOf(options);
  const rows = AT_ONCE * kinds.length;
  const side = sideOf(options);
  const shape = [rows, side, side, heldOut.channels];
  const random = stream(0, 'held out');
  const views = random.below(FRAGMENTS, viewCount(heldOut, options));
  const right = new Map(kinds.map((kind) => [kind, 0]));
  const seen = new Map(kinds.map((kind) => [kind, 0]));
  const session = await openSession(discriminatorFile(discriminator, state, shape), {
    device: 'cpu',
  });
  try {
    for (let at = 0; at < FRAGMENTS; at += AT_ONCE) {
      const chosen = views.subarray(at, at + AT_ONCE);
      const {
        fragments,
        labels,
        weights,
        kinds: shown,
      } = fragmentBatch(heldOut, chosen, rows, options, random);
      const feeds = { fragments: { dtype: 'float32', shape, data: fragments } } as const;
      const scores = (await session.run(feeds)).margins?.data as Float32Array;
      for (const [k, kind] of shown.entries()) {
        if (weights[k] === 0) continue; // an alteration that changes nothing
        seen.set(kind, (seen.get(kind) as number) + 1);
        const saysReal = (scores[k] as number) > 0;
        if (saysReal === (labels[k] === 1)) right.set(kind, (right.get(kind) as number) + 1);
      }
    }
  } finally {
    await session.dispose();
  }
  const protocol = `${FRAGMENTS} fragments of the test images of ${heldOut.name}, each as it is and with every alteration; the share judged rightly; trained on ${kindsOf(trained).join(', ')}`;
  // In pictures of one tone, a copy never changes anything.
  return kinds.flatMap((kind) => {
    const shown = seen.get(kind) as number;
    const value = (right.get(kind) as number) / shown;
    return shown > 0 ? [{ metric: `held-out accuracy, ${kind}`, value, protocol }] : [];
  });
}

/** An .onnx file that gives the log-odds of each fragment. */
function discriminatorFile(discriminator: Network, state: State, shape: number[]): Uint8Array {
  return trace(
    ({ fragments }) => {
      const params = constants(tensorsBelow(state, 'discriminator/params', discriminator.params));
      const buffers = constants(
        tensorsBelow(state, 'discriminator/buffers', discriminator.buffers),
      );
      const { y } = discriminator.apply(params, buffers, fragments, { training: false });
      return { margins: margins(y) };
    },
    { fragments: spec(shape) },
    { name: 'judge of fragments' },
  ).toBytes();
}
