import type { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';

/** The weights of a graph model, by name; several forms of the graph read the same ones. */
export const weightsOf = ({ weightData, weightSpecs }: tf.io.ModelArtifacts): tf.NamedTensorMap =>
  tf.io.decodeWeights(weightData as ArrayBuffer, weightSpecs ?? []);

/** What TF.js's graph models have and do not publish. */
interface Loading {
  loadWithWeightMap(artifacts: tf.io.ModelArtifacts, weights: tf.NamedTensorMap): unknown;
}

/** TF.js's `loadGraphModel`, for weights that are tensors already. Disposing of it frees them. */
export async function loadGraphWith(
  artifacts: tf.io.ModelArtifacts,
  weights: tf.NamedTensorMap,
): Promise<GraphModel> {
  const { GraphModel } = await import('@tensorflow/tfjs-converter');
  const model = new GraphModel({ load: async () => artifacts });
  (model as unknown as Loading).loadWithWeightMap(artifacts, weights);
  return model;
}
