/** Exports a trained judge as an .onnx file, and measures its accuracy. */
import { createHash } from 'node:crypto';
import { spec, trace } from '@gpn/export/trace';
import {
  type ImageInfo,
  type ModelInfo,
  makeCertificate,
  openSession,
  type Preparation,
  withModelInfo,
} from '@gpn/runtime';
import type { Dataset } from '../../data/types.js';
import { constants, tensorsBelow } from '../../engine/state.js';
import type { State } from '../../engine/types.js';
import { COLORS } from '../../export/network.js';
import { VERSIONS } from '../../export/versions.js';
import { average, type Rows } from '../metrics/rows.js';
import { agreement, classesOf } from '../metrics/verdicts.js';
import type { Labelled } from '../scorecard/image-sets.js';
import { openExtractor } from './extractor.js';
import { type JudgeRecipe, judgeFor } from './judge.js';

/**
 * Exports a judge as a file that gives features and logits, with a free batch size, a certificate, and
 * its accuracy on the test set.
 *
 * @param state as `trainJudge` returns it
 * @param data the training set, and the test set for the accuracy; if they are of pictures, how those became
 *   images
 */
export async function exportJudge(
  state: State,
  recipe: JudgeRecipe,
  data: {
    readonly train: Dataset;
    readonly test: Dataset;
    readonly preparation?: Preparation | undefined;
  },
): Promise<{ bytes: Uint8Array; info: ModelInfo; accuracy: number }> {
  const { train, test, preparation } = data;
  const classes = train.classes ?? [];
  const described = judgeInfo(train, recipe, classes, preparation);
  const bytes = graphOf(state, train, described.name);
  const accuracy = await accuracyOf(withModelInfo(bytes, described), test);
  const protocol = `all ${test.count} test images of ${test.name}, hash ${test.hash}`;
  const session = await openSession(bytes, { device: 'cpu', label: described.name });
  try {
    const info: ModelInfo = {
      ...described,
      quality: [{ metric: 'accuracy', value: accuracy, protocol }],
      certificate: await makeCertificate(session, described),
    };
    return { bytes: withModelInfo(bytes, info), info, accuracy };
  } finally {
    await session.dispose();
  }
}

function graphOf(state: State, train: Dataset, name: string): Uint8Array {
  const network = judgeFor(train);
  const model = trace(
    ({ images }) => {
      const params = constants(tensorsBelow(state, 'params', network.params));
      const buffers = constants(tensorsBelow(state, 'buffers', network.buffers));
      const { features, logits } = network.apply(params, buffers, images, { training: false });
      return { features, logits };
    },
    { images: spec(['N', ...network.inputShape]) },
    { name },
  );
  return model.toBytes();
}

const imageOf = ({ height, width, channels }: Dataset): ImageInfo => ({
  height,
  width,
  channels,
  range: [0, 1],
  layout: 'NHWC',
  color: COLORS[channels as 1 | 3 | 4],
});

function judgeInfo(
  train: Dataset,
  recipe: JudgeRecipe,
  names: string[],
  preparation?: Preparation,
): ModelInfo {
  return {
    version: 1,
    name: `judge-${train.name}`,
    kind: 'features',
    input: 'images',
    output: 'features',
    image: { ...imageOf(train), ...(preparation && { preparation }) },
    classifier: { output: 'logits', classes: names.length, names },
    training: {
      recipe: createHash('sha256').update(JSON.stringify(recipe)).digest('hex'),
      dataset: { name: train.name, hash: train.hash },
      steps: recipe.steps,
      epochs: recipe.steps / Math.floor(train.count / recipe.batchSize),
      seed: recipe.seed,
      versions: VERSIONS,
    },
  };
}

/** The accuracy of a trained judge on labelled images, 0 to 1. */
export async function examineJudge(
  state: State,
  recipe: JudgeRecipe,
  train: Dataset,
  test: Labelled,
): Promise<number> {
  const described = judgeInfo(train, recipe, train.classes ?? []);
  const bytes = graphOf(state, train, described.name);
  return accuracyOf(withModelInfo(bytes, described), test);
}

async function accuracyOf(bytes: Uint8Array, test: Labelled): Promise<number> {
  const extractor = await openExtractor(bytes);
  try {
    const { logits } = await extractor.extract(test);
    return average(agreement(test.labels as Uint8Array, classesOf(logits as Rows)));
  } finally {
    await extractor.dispose();
  }
}
