/**
 * A graph model as the tracer takes it. TF.js computes some operations, those whose results have sizes
 * that depend on values, by reading the values, which a trace does not have. For the trace alone
 * they are given to functions of our own, under names that TF.js's executor takes for custom operations.
 */

import type { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { reasonOf } from '../../reason.js';
import { isConstant, TraceBackend } from '../../trace/backend.js';
import { type Rounds, recordLoop } from '../../trace/loop.js';
import { rangeTensor, shapeTensor, whereTrue } from '../../trace/unknown-sizes.js';
import { type FunctionDef, type GraphDef, isControl, type NodeDef } from './graph-def.js';
import { emptyList, LISTS, listsInLoops } from './lists.js';
import { slicePart, stridedPart } from './parts.js';
import { softSuppression } from './soft-suppression.js';
import { loadGraphWith } from './weights.js';

/** Runs a function of the graph's library. */
type CallFunction = (name: string, args: readonly tf.Tensor[]) => tf.Tensor[];

/** Computes what a node gives, of what it takes. */
type Operation = (inputs: readonly tf.Tensor[], node: NodeDef, call: CallFunction) => tf.Tensor[];

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

/**
 * Both branches, and of each result the one that the condition chooses. A condition on constants has one
 * branch.
 */
const branches: Operation = ([condition, ...args], node, call) => {
  const [then, otherwise] = [functionOf(node, 'then_branch'), functionOf(node, 'else_branch')];
  const pred = condition as tf.Tensor;
  if (isConstant(pred)) return call(pred.dataSync()[0] ? then : otherwise, args);
  const results = call(then, args);
  const others = call(otherwise, args);
  return results.map((result, i) => chosen(pred, result, others[i] as tf.Tensor, node.name));
};

/** A fixed number of rounds up to which a loop is unrolled: so few take less time than ONNX's Loop. */
const FEW = 16;
/** How often any loop is unrolled. */
const MANY = 900;

/**
 * A loop. Few rounds are unrolled, if their number is known; of more, or if the condition depends on
 * values or on a free size, one is recorded, or they are unrolled yet if one is not like the other.
 * @param recorded the loops of which a trace recorded one round, and whether it changes sizes: those at other
 *   sizes do the same
 */
const rounds =
  (recorded: Map<string, boolean>): Operation =>
  (inputs, node, call) => {
    const [condition, body] = [functionOf(node, 'cond'), functionOf(node, 'body')];
    const loop: Rounds = {
      test: (all) => call(condition, all)[0] as tf.Tensor,
      step: (all) => call(body, all),
    };
    const unrolled = (start: tf.Tensor[], most: number): [all: tf.Tensor[], go: tf.Tensor] => {
      let all = start;
      let go = loop.test(all);
      for (let i = 0; i < most && isConstant(go) && go.dataSync()[0]; i++) {
        all = loop.step(all);
        go = loop.test(all);
      }
      return [all, go];
    };
    const backend = tf.backend();
    const clones = (all: tf.Tensor[]): tf.Tensor[] => all.map((t) => t.clone());
    if (!(backend instanceof TraceBackend)) {
      return clones(unrolled([...inputs], Number.POSITIVE_INFINITY)[0]);
    }
    const fromStart = (resizes: boolean): tf.Tensor[] => {
      const go = loop.test(inputs.map((t) => backend.unfolded(t)));
      const results = clones(oneRound(backend, inputs, go, loop, resizes));
      recorded.set(node.name, resizes);
      return results;
    };
    const resizes = recorded.get(node.name);
    if (resizes !== undefined) return fromStart(resizes);
    const before = backend.calls.length;
    const [all, go] = unrolled([...inputs], FEW);
    if (!isConstant(go)) return clones(oneRound(backend, all, go, loop, true));
    if (!go.dataSync()[0]) return clones(all);
    const known = backend.recording().foundSizes.length;
    try {
      backend.calls.length = before;
      return fromStart(false);
    } catch (error) {
      backend.recording().forgetSizes(known);
      const [last, on] = unrolled(all, MANY);
      if (isConstant(on) && !on.dataSync()[0]) return clones(last);
      try {
        // So many rounds may be those of a free size.
        backend.calls.length = before;
        return fromStart(true);
      } catch {
        throw new Error(
          `it goes round more than ${MANY} times, and one round is not like another: ${reasonOf(error)}`,
        );
      }
    }
  };

/**
 * Records a round. What no round changes stays what it is, a constant for example, and is not carried on.
 * @param resizes whether rounds may change sizes
 */
function oneRound(
  backend: TraceBackend,
  given: readonly tf.Tensor[],
  go: tf.Tensor,
  { test, step }: Rounds,
  resizes: boolean,
): tf.Tensor[] {
  const { elements, kept } = tried(backend, given, step);
  // Before a list was written to, only a round shows of which shape its elements are.
  const all = given.map((t, i) => {
    const element = elements[i];
    return element ? emptyList(t, element.shape, element.dtype) : t;
  });
  const isCarried = (_: tf.Tensor, i: number): boolean => !kept.has(i);
  const together = (carried: readonly tf.Tensor[]): tf.Tensor[] => {
    const rest = carried.values();
    return all.map((t, i) => (kept.has(i) ? t : (rest.next().value as tf.Tensor)));
  };
  const rounds: Rounds = {
    test: (carried) => test(together(carried)),
    step: (carried) => step(together(carried)).filter(isCarried),
  };
  return together(recordLoop(backend, all.filter(isCarried), go, rounds, resizes));
}

interface Element {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** What a round does: to which lists it first writes, and what it leaves as it is. */
function tried(
  backend: TraceBackend,
  given: readonly tf.Tensor[],
  step: Rounds['step'],
): { elements: (Element | undefined)[]; kept: Set<number> } {
  const known = backend.recording().foundSizes.length;
  return backend.trial(() => {
    const taken = given.map((t) => backend.unfolded(t));
    const next = step(taken);
    const found = backend.recording().foundSizes.slice(known);
    const elements = next.map((t, i): Element | undefined => {
      if (t.rank === 0 || given[i]?.rank !== 0) return undefined;
      const shape = t.shape.slice(1);
      if (!shape.some((d) => found.includes(d))) return { shape, dtype: t.dtype };
      throw new Error(
        'a loop writes tensors to a list whose sizes depend on values, and may differ from round to round: ONNX has no tensor of such',
      );
    });
    return {
      elements,
      kept: new Set(next.flatMap((t, i) => (t.dataId === taken[i]?.dataId ? [i] : []))),
    };
  });
}

const functionOf = ({ attr = {} }: NodeDef, key: string): string =>
  (attr[key] as { func: { name: string } }).func.name;

function chosen(pred: tf.Tensor, yes: tf.Tensor, no: tf.Tensor, node: string): tf.Tensor {
  if (!tf.util.arraysEqual(yes.shape, no.shape)) {
    throw new Error(
      `the branches of "${node}" give tensors of the shapes [${yes.shape}] and [${no.shape}], and the ` +
        'file has to know one: make its condition a constant',
    );
  }
  return tf.where(tf.cast(tf.reshape(pred, []), 'bool'), yes, no);
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  If: branches,
  StatelessIf: branches,
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
    const { boxes, scores, ...limits } = suppression(inputs);
    const { most, overlap, score, sigma } = limits;
    if (sigma > 0) return softSuppression(boxes, scores, limits);
    const kept = tf.image.nonMaxSuppressionWithScore(boxes, scores, most, overlap, score, sigma);
    return [kept.selectedIndices, kept.selectedScores] as tf.Tensor[];
  },
};

/** What TF.js hands a custom operation, beyond what it publishes. */
interface Running {
  readonly context: { readonly functionMap: Readonly<Record<string, FunctionExecutor>> };
}

interface FunctionExecutor {
  readonly inputs: readonly { readonly name: string }[];
  readonly outputNodes: string[];
  execute(inputs: Record<string, tf.Tensor | undefined>, outputs: string[]): tf.Tensor[];
}

/** Operations that take part where a size may depend on values: they ask for it, are as long, or begin there. */
const SIZED: Readonly<Record<string, Operation>> = {
  Slice: slicePart,
  StridedSlice: stridedPart,
  Shape: ([x]) => [shapeTensor(x as tf.Tensor)],
  Range: ([start, end, step]) => [
    rangeTensor(start as tf.Tensor, end as tf.Tensor, step as tf.Tensor),
  ],
};

/**
 * The names of several outputs, by which functions ask for them: of operations that TF.js takes for custom
 * ones it knows numbers alone.
 */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  NonMaxSuppressionV4: ['selected_indices', 'valid_outputs'],
  NonMaxSuppressionV5: ['selected_indices', 'selected_scores', 'valid_outputs'],
  TensorArrayV3: ['handle', 'flow'],
  TensorListPopBack: ['output_handle', 'tensor'],
};

/** What asks for an output, of one of a function's nodes, by its name asks for it by its number. */
function byNumber(nodes: readonly NodeDef[]): (asked: string) => string {
  const named = new Map(
    nodes.flatMap(({ name, op }) => (OUTPUTS[op] ? [[name, OUTPUTS[op]]] : [])),
  );
  return (asked) => {
    const [node = '', output = ''] = asked.split(':');
    const at = named.get(node)?.indexOf(output) ?? -1;
    return at < 0 ? asked : `${node}:${at}`;
  };
}

/** TensorFlow 1 says that what stands for its lists is a float; TF.js would insist on that. */
const withoutTypes = (
  signature: NonNullable<FunctionDef['signature']>,
): FunctionDef['signature'] => ({
  ...signature,
  inputArg: (signature.inputArg ?? []).map((arg) => ({ ...arg, type: 'DT_VARIANT' })),
});

const LOOPS = new Set(['While', 'StatelessWhile']);

export interface RecordedModel {
  readonly model: GraphModel;
  /** Whether TF.js's own cannot run it: its loops by functions lose lists of tensors. */
  readonly alone: boolean;
  readonly dispose: () => void;
}

let serial = 0;

/** The model for the trace, with the weights of TF.js's own; undefined if that one will do. */
export async function loadRecorded(
  artifacts: tf.io.ModelArtifacts,
  weights: tf.NamedTensorMap,
): Promise<RecordedModel | undefined> {
  const graph = artifacts.modelTopology as GraphDef;
  const functions = graph.library?.function ?? [];
  const all = [...(graph.node ?? []), ...functions.flatMap(({ nodeDef = [] }) => nodeDef)];
  if (!all.some(({ op }) => op in OPERATIONS || LOOPS.has(op))) return undefined;
  const lists = all.some(({ op }) => /TensorList|^TensorArray/.test(op));
  const alone = listsInLoops(all);
  const { deregisterOp, registerOp } = await import('@tensorflow/tfjs-converter');
  const names: string[] = [];
  const loop = rounds(new Map());
  const operationOf = ({ op }: NodeDef): Operation | undefined => {
    if (LOOPS.has(op)) return lists && !alone ? undefined : loop;
    return OPERATIONS[op] ?? SIZED[op] ?? (alone ? LISTS[op] : undefined);
  };
  const renamed = (node: NodeDef): NodeDef => {
    const operation = operationOf(node);
    if (!operation) return node;
    const op = `recorded/${node.op}/${serial++}`;
    names.push(op);
    const count = (node.input ?? []).filter((name) => !isControl(name)).length;
    registerOp(op, (running) => {
      const { context } = running as unknown as Running;
      const call: CallFunction = (name, args) => {
        const f = context.functionMap[name] as FunctionExecutor;
        return f.execute(
          Object.fromEntries(f.inputs.map((x, i) => [x.name, args[i]])),
          f.outputNodes,
        );
      };
      // What comes after them only has to be done before.
      const inputs = running.inputs.slice(0, count);
      return operation(inputs, node, call).map((t) => (inputs.includes(t) ? t.clone() : t));
    });
    return { ...node, op };
  };
  const modelTopology = {
    ...graph,
    node: (graph.node ?? []).map(renamed),
    library: {
      ...graph.library,
      function: functions.map(({ nodeDef = [], ret = {}, signature, ...f }) => {
        const read = byNumber(nodeDef);
        return {
          ...f,
          ...(signature && { signature: alone ? withoutTypes(signature) : signature }),
          nodeDef: nodeDef.map((node) =>
            renamed({ ...node, ...(node.input && { input: node.input.map(read) }) }),
          ),
          ret: Object.fromEntries(Object.entries(ret).map(([name, at]) => [name, read(at)])),
        };
      }),
    },
  };
  const model = await loadGraphWith({ ...artifacts, modelTopology }, weights);
  return {
    model,
    alone,
    dispose: () => {
      model.dispose();
      for (const name of names) deregisterOp(name);
    },
  };
}
