import type { GraphModel } from '@tensorflow/tfjs-converter';
import type * as tf from '@tensorflow/tfjs-core';
import { reasonOf } from '../../reason.js';
import { isRecording } from '../../trace/backend.js';
import { branchesAsChoices } from './choices.js';
import { loopsAsFunctions } from './frames.js';
import type { GraphDef, NodeDef } from './graph-def.js';
import { listsInLoops } from './lists.js';
import { loadRecorded, type RecordedModel } from './recorded.js';
import { loadGraphWith, weightsOf } from './weights.js';

/** A graph model, as TF.js computes it and as it is recorded. */
export interface GraphRunner {
  readonly model: GraphModel;
  /** @throws Error that names the operations which decide, if a trace cannot take them */
  execute(feeds: tf.NamedTensorMap, outputs: string[]): Promise<tf.Tensor[]>;
  dispose(): void;
}

/** One form of the graph. */
interface Form {
  readonly model: GraphModel;
  readonly recorded: RecordedModel | undefined;
}

type Follow = (model: GraphModel) => void;

async function formOf(
  artifacts: tf.io.ModelArtifacts,
  weights: tf.NamedTensorMap,
  follow: Follow,
): Promise<Form> {
  const model = await loadGraphWith(artifacts, weights);
  const recorded = await loadRecorded(artifacts, weights);
  for (const each of [model, recorded?.model]) if (each) follow(each);
  return { model, recorded };
}

/** What TF.js says of loops of the first kind that it cannot run. */
const STUCK = /Cannot compute the outputs/;
/** What the recorder says of a decision that depends on values. */
const UNKNOWN = /values of a tensor were read/;

const ANY = /(?:)/;

/** The forms of a graph, its own and others, in the order in which they are tried after which errors. */
function formsOf(graph: GraphDef): { topology: GraphDef; after: RegExp }[] {
  const own = { topology: graph, after: ANY };
  const loops = loopsAsFunctions(graph);
  // A list of tensors is known to loops by functions alone.
  if (loops !== graph && listsInLoops(allNodes(loops))) {
    return [{ topology: loops, after: ANY }, own];
  }
  return [
    own,
    { topology: loops, after: new RegExp(`${STUCK.source}|${UNKNOWN.source}`) },
    { topology: branchesAsChoices(graph), after: UNKNOWN },
  ].filter((form) => form === own || form.topology !== graph);
}

const allNodes = ({ node = [], library }: GraphDef): NodeDef[] => [
  ...node,
  ...(library?.function ?? []).flatMap(({ nodeDef = [] }) => nodeDef),
];

/** @param follow is given every model that will run, once */
export async function graphRunner(
  artifacts: tf.io.ModelArtifacts,
  follow: Follow,
): Promise<GraphRunner> {
  const graph = artifacts.modelTopology as GraphDef;
  const weights = weightsOf(artifacts);
  const known = formsOf(graph);
  const forms: Form[] = [];
  for (const { topology } of known) {
    forms.push(await formOf({ ...artifacts, modelTopology: topology as object }, weights, follow));
  }
  const by = async (
    { model, recorded }: Form,
    feeds: tf.NamedTensorMap,
    outputs: string[],
  ): Promise<tf.Tensor[]> => {
    const running = recorded && (isRecording() || recorded.alone) ? recorded.model : model;
    try {
      return [running.execute(feeds, outputs)].flat();
    } catch (error) {
      // Control flow: it may yet turn out to depend on constants alone.
      if (!/executeAsync/.test(String(error))) throw error;
    }
    return [await running.executeAsync(feeds, outputs)].flat();
  };
  return {
    model: (forms[known.findIndex(({ topology }) => topology === graph)] as Form).model,
    async execute(feeds, outputs) {
      const errors: unknown[] = [];
      for (const [at, form] of forms.entries()) {
        if (errors.length > 0 && !known[at]?.after.test(String(errors[0]))) continue;
        try {
          return await by(form, feeds, outputs);
        } catch (error) {
          errors.push(error);
        }
      }
      const [error] = errors;
      if (!decides(graph)) throw error;
      throw new Error(`${decisions(graph)} (${reasonOf(error)})`, { cause: error });
    },
    dispose() {
      for (const { model, recorded } of forms) {
        model.dispose();
        recorded?.dispose();
      }
    },
  };
}

/** Operations by which a graph decides, as it runs, what to compute. */
const DECIDES = /^(Switch|Merge|LoopCond|(Stateless)?(If|While)|ListDiff)$/;

const deciding = (graph: GraphDef): Set<string> =>
  new Set(
    allNodes(graph)
      .map(({ op }) => op)
      .filter((op) => DECIDES.test(op)),
  );

const decides = (graph: GraphDef): boolean => deciding(graph).size > 0;

const decisions = (graph: GraphDef): string =>
  `what ${[...deciding(graph)].join(', ')} gives depends on the values of the inputs, which ONNX needs to know beforehand`;
