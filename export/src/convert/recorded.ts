/**
 * A graph model as the tracer takes it. TF.js computes some operations, those whose results have sizes
 * that depend on values, by reading the values, which a trace does not have. For the trace alone
 * they are given to functions of our own, under names that TF.js's executor takes for custom operations.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import { whereTrue } from '../trace/where.js';

/** A node of TensorFlow's GraphDef, as model.json has it. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

interface FunctionDef {
  readonly nodeDef?: readonly NodeDef[];
}

interface GraphDef {
  readonly node?: readonly NodeDef[];
  readonly library?: { readonly function?: readonly FunctionDef[] };
}

/** Computes what a node gives, of what it takes. */
type Operation = (inputs: readonly tf.Tensor[], node: NodeDef) => tf.Tensor[];

type Boxes = [boxes: tf.Tensor2D, scores: tf.Tensor1D, ...limits: tf.Tensor[]];

/** Boxes and scores; how many boxes are wanted, and the two thresholds, which are constants. */
function suppression(inputs: readonly tf.Tensor[]) {
  const [boxes, scores, ...limits] = inputs as Boxes;
  const [most, overlap, score = Number.NEGATIVE_INFINITY, sigma = 0] = limits.map(
    (t) => t.dataSync()[0] as number,
  );
  return { boxes, scores, most: most as number, overlap: overlap as number, score, sigma };
}

const keptBoxes: Operation = (inputs) => {
  const { boxes, scores, most, overlap, score } = suppression(inputs);
  return [tf.image.nonMaxSuppression(boxes, scores, most, overlap, score)];
};

const OPERATIONS: Readonly<Record<string, Operation>> = {
  Where: ([condition]) => [whereTrue(condition as tf.Tensor)],
  NonMaxSuppressionV2: keptBoxes,
  NonMaxSuppressionV3: keptBoxes,
  NonMaxSuppressionV4: (inputs, { attr = {} }) => {
    const { boxes, scores, most, overlap, score } = suppression(inputs);
    const { b: padded = false } = (attr.pad_to_max_output_size ?? {}) as { b?: boolean };
    const kept = tf.image.nonMaxSuppressionPadded(boxes, scores, most, overlap, score, padded);
    return [kept.selectedIndices, kept.validOutputs] as tf.Tensor[];
  },
  NonMaxSuppressionV5: (inputs) => {
    const { boxes, scores, most, overlap, score, sigma } = suppression(inputs);
    const kept = tf.image.nonMaxSuppressionWithScore(boxes, scores, most, overlap, score, sigma);
    return [kept.selectedIndices, kept.selectedScores] as tf.Tensor[];
  },
};

export interface RecordedModel {
  readonly model: GraphModel;
  readonly dispose: () => void;
}

let serial = 0;

/** The model for the trace; undefined if TF.js's own will do. */
export async function loadRecorded(
  artifacts: tf.io.ModelArtifacts,
): Promise<RecordedModel | undefined> {
  const { deregisterOp, loadGraphModel, registerOp } = await import('@tensorflow/tfjs-converter');
  const names: string[] = [];
  const renamed = (node: NodeDef): NodeDef => {
    const operation = OPERATIONS[node.op];
    if (!operation) return node;
    const op = `recorded/${node.op}/${serial++}`;
    names.push(op);
    registerOp(op, ({ inputs }) => operation(inputs, node));
    return { ...node, op };
  };
  const graph = artifacts.modelTopology as GraphDef;
  const modelTopology = {
    ...graph,
    node: (graph.node ?? []).map(renamed),
    library: {
      ...graph.library,
      function: (graph.library?.function ?? []).map((f) => ({
        ...f,
        nodeDef: (f.nodeDef ?? []).map(renamed),
      })),
    },
  };
  if (names.length === 0) return undefined;
  const model = await loadGraphModel({ load: async () => ({ ...artifacts, modelTopology }) });
  return {
    model,
    dispose: () => {
      model.dispose();
      for (const name of names) deregisterOp(name);
    },
  };
}
