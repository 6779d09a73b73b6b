/** The judge, a classifier whose features and classes are used to evaluate images, and its training. */
import { spec, type Tensors } from '@gpn/export/trace';
import { type Judge, judge } from '@gpn/models';
import { type OpenOptions, product, stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { batches, gatherLabels } from '../../data/batches.js';
import { rowsAt } from '../../data/rows.js';
import { floats, pixels } from '../../data/tensors.js';
import type { Dataset } from '../../data/types.js';
import { compile } from '../../engine/compiled.js';
import type { CompiledStep, State } from '../../engine/types.js';
import { adam, type Optimizer } from '../../gan/optimizers.js';
import { differentiate } from '../../steps/gradients.js';
import { asInputs, dropoutInputs, startingState, trainee } from '../../steps/state.js';
import { type Augmentation, augment } from './augment.js';

/** The settings of a judge's training. */
export interface JudgeRecipe extends Augmentation {
  readonly steps: number;
  readonly batchSize: number;
  /** The highest learning rate; see `rateAt`. */
  readonly learningRate: number;
  /** The share of a label that is distributed over all classes, 0 to 1. */
  readonly labelSmoothing: number;
  readonly seed: number;
}

/** The specs of the step's inputs. */
export const judgeSpecs = (network: Judge, optimizer: Optimizer, batchSize: number) => ({
  state: asInputs(trainee(network, optimizer)),
  batch: {
    /** Pixels 0 to 255. */
    images: spec([batchSize, ...network.inputShape], 'uint8'),
    /** Classes by number. */
    labels: spec([batchSize], 'uint8'),
  },
  noise: dropoutInputs(network, batchSize),
  hyper: { rate: spec([]) },
});
type JudgeInputs = Tensors<ReturnType<typeof judgeSpecs>>;

/** A step with cross-entropy and smoothed labels (Szegedy et al. 2016, section 7). */
export const judgeStep =
  (network: Judge, optimizer: Optimizer, labelSmoothing: number) =>
  ({ state, batch, noise, hyper }: JudgeInputs) => {
    const { classes } = network;
    const images = tf.mul(batch.images, 1 / 255);
    const known = tf.oneHot(tf.cast(batch.labels, 'int32') as tf.Tensor1D, classes);
    const target = tf.add(tf.mul(known, 1 - labelSmoothing), labelSmoothing / classes);
    const { loss, grads, aux } = differentiate((params) => {
      const passed = network.apply(params, state.buffers, images, { training: true, noise });
      const entropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(passed.logits), target), 1)));
      return { loss: entropy, aux: { buffers: passed.buffers } };
    }, state.params);
    const next = optimizer.update(state.params, grads, state.optimizer, hyper.rate);
    return {
      state: { params: next.params, buffers: aux.buffers, optimizer: next.state },
      metrics: { loss },
    };
  };

/** The learning rate: a linear warm-up for a tenth of the steps, then a cosine decay to 0. */
export function rateAt(step: number, { steps, learningRate }: JudgeRecipe): number {
  const rising = steps / 10;
  if (step < rising) return (learningRate * (step + 1)) / (rising + 1);
  return (learningRate / 2) * (1 + Math.cos((Math.PI * (step - rising)) / (steps - rising)));
}

/** Where to train a judge, and how to report it. */
export interface JudgeTraining {
  readonly device?: OpenOptions['device'];
  readonly threads?: number;
  readonly on?: (progress: { step: number; steps: number; loss: number }) => void;
}

/**
 * Trains a judge.
 *
 * @param data labelled images
 * @returns its tensors: `params/…`, `buffers/…` and `optimizer/…`
 * @throws UserError if the data has no labels, or fewer images than a batch
 */
export async function trainJudge(
  data: Dataset,
  recipe: JudgeRecipe,
  { on, ...where }: JudgeTraining = {},
): Promise<State> {
  const network = judgeFor(data);
  const optimizer = adam({ beta1: 0.9, beta2: 0.999 });
  const order = batches(recipe.seed, data.count, recipe.batchSize);
  const step = await compile(
    judgeStep(network, optimizer, recipe.labelSmoothing),
    judgeSpecs(network, optimizer, recipe.batchSize),
    { ...where, name: 'judge' },
  );
  try {
    step.load(startingJudge(network, optimizer, recipe.seed));
    for (let at = 0; at < recipe.steps; at++) {
      const { loss } = await step.run(judgeFeeds(data, order.indices(at), at, network, recipe));
      on?.({ step: at + 1, steps: recipe.steps, loss: loss as number });
    }
    return step.state();
  } finally {
    await step.dispose();
  }
}

/** The network for images of such a size and number of classes. */
export const judgeFor = ({ height, width, channels, classes }: Omit<Dataset, 'hash'>): Judge =>
  judge({ classes: classes?.length ?? 10, shape: [height, width, channels] });

/** The initial state, drawn from the seed. */
export const startingJudge = (network: Judge, optimizer: Optimizer, seed: number): State =>
  startingState(trainee(network, optimizer), 'kaiming', stream(seed, 'judge'));

function judgeFeeds(
  data: Dataset,
  indices: Uint32Array,
  at: number,
  network: Judge,
  recipe: JudgeRecipe,
): Parameters<CompiledStep['run']>[0] {
  const { batchSize, seed } = recipe;
  const images = augment(rowsAt(data, indices), data, recipe, stream(seed, 'augment', at));
  const noise = Object.entries(network.noise).map(([name, shape]): [string, TensorData] => {
    const size = batchSize * product(shape);
    const drawn = stream(seed, 'dropout', name, at).uniform(size, 0, 1);
    return [`noise/${name}`, floats([batchSize, ...shape], drawn)];
  });
  return {
    'batch/images': pixels([batchSize, ...network.inputShape], images),
    'batch/labels': { dtype: 'uint8', shape: [batchSize], data: gatherLabels(data, indices) },
    'hyper/rate': floats([], Float32Array.of(rateAt(at, recipe))),
    ...Object.fromEntries(noise),
  };
}
