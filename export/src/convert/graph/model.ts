import type { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../../error.js';
import { isRecording, type TraceBackend } from '../../trace/backend.js';
import { enter, type Place } from '../../trace/place.js';
import { type Cut, checked, type LoadedModel, type ModelInput, unique } from '../loaded.js';
import { mendOps } from '../mended/ops.js';
import type { ModelFiles } from '../source/files.js';
import { callsInlined } from './calls.js';
import { howToCut, type Nodes, nodesOf, typeOf, upstream } from './cut.js';
import { type GraphDef, nodeOf } from './graph-def.js';
import { graphRunner } from './runner.js';

/** A graph, as tensorflowjs_converter made it. */
export async function loadGraph(files: ModelFiles, cut: Cut): Promise<LoadedModel> {
  mendOps();
  const { path } = files;
  const topology = callsInlined(files.artifacts.modelTopology as GraphDef);
  const artifacts = { ...files.artifacts, modelTopology: topology as object };
  const nodes = nodesOf(topology);
  const runner = await graphRunner(artifacts, followNodes);
  const { model } = runner;
  const signature = (model.modelSignature ?? {}) as Signature;
  const known = graphOutputs(model, signature, nodes);
  const outputs = cut.outputs?.map((name) => graphOutput(path, name, known, nodes)) ?? known;
  const inputs = graphInputs(path, model, signature, nodes, cut, outputs);
  return {
    kind: 'graph',
    notes: [],
    name: 'graph-model',
    inputs,
    outputs: unique(outputs.map(({ name }) => name)),
    apply(tensors) {
      const feeds = Object.fromEntries(
        inputs.map(({ tensor }, i) => [tensor, tensors[i] as tf.Tensor]),
      );
      return runner.execute(
        feeds,
        outputs.map(({ tensor }) => tensor),
      );
    },
    howToCut: ({ name }) => howToCut(nodes, outputs, name),
    dispose: () => runner.dispose(),
  };
}

/** What TF.js's graph models have and do not publish. */
interface Executor {
  readonly graph: { readonly nodes: Readonly<Record<string, FollowedNode>> };
  readonly functionExecutorMap?: Readonly<Record<string, Executor>>;
}
interface FollowedNode {
  readonly name: string;
  readonly op: string;
  category: unknown;
}

/** How often a node may run while a model is recorded. */
const MOST = 1000;

/** Says which node runs: TF.js asks each for its category before it runs it. */
function followNodes(model: GraphModel): void {
  const { executor } = model as unknown as { executor: Executor };
  const executors = [executor, ...Object.values(executor.functionExecutorMap ?? {})];
  for (const node of executors.flatMap(({ graph }) => Object.values(graph.nodes))) {
    const { category } = node;
    const kind = node.op.replace(/^recorded\/(\w+)\/\d+$/, '$1');
    const place: Place = { part: 'node', name: node.name, kind };
    const counted = roundsOf(node);
    Object.defineProperty(node, 'category', {
      get() {
        enter(place);
        counted();
        return category;
      },
    });
  }
}

/** Counts how often a node runs in a recording. Some loops would be unrolled until the memory is full. */
function roundsOf(node: FollowedNode): () => void {
  let recording: object | undefined;
  let count = 0;
  return () => {
    const now = isRecording() ? (tf.backend() as TraceBackend).recording().graph : undefined;
    count = now === recording ? count + 1 : 1;
    recording = now;
    if (now && count > MOST) {
      throw new Error(
        `a loop would be unrolled more than ${MOST} times, for its node "${node.name}"`,
      );
    }
  };
}

/** An output or an input of a graph model: its name in the file, and the tensor of the graph. */
interface End {
  readonly name: string;
  readonly tensor: string;
}

/** TF.js itself keeps one output of each node of a signature, and forgets which of the node's it is. */
function graphOutputs(model: GraphModel, signature: Signature, nodes: Nodes): End[] {
  const listed = Object.entries(signature.outputs ?? {})
    .map(([key, { name }]) => ({ name: plain(key), tensor: name ?? key }))
    .filter(({ tensor }) => nodes.has(nodeOf(tensor)));
  return listed.length > 0
    ? listed
    : model.outputNodes.map((name) => ({ name: plain(name), tensor: name }));
}

function graphOutput(path: string, name: string, known: readonly End[], nodes: Nodes): End {
  const found = known.find((end) => end.name === plain(name));
  if (found) return found;
  if (nodes.has(nodeOf(name))) return { name: plain(name), tensor: name };
  throw new ExportError(
    `${path} has no output and no node "${name}": its outputs are ${known.map((end) => end.name).join(', ')}.`,
  );
}

/** The inputs that the outputs depend on, and the nodes at which the user begins. */
function graphInputs(
  path: string,
  model: GraphModel,
  signature: Signature,
  nodes: Nodes,
  { outputs: asked, starts = [] }: Cut,
  outputs: readonly End[],
): (ModelInput & End)[] {
  const own = model.inputs.map(({ name, shape, dtype }, i) => {
    const key = model.inputNodes[i] as string;
    return {
      name: plain(key),
      tensor: name,
      shape: declared(shape, signature.inputs?.[key]),
      dtype: checked(path, name, dtype),
    };
  });
  const inner = starts
    .filter((name) => !own.some((input) => input.name === name) && nodes.has(nodeOf(name)))
    .map((name) => ({ name, tensor: name, shape: undefined, dtype: typeOf(nodes, name) }));
  if (!asked && inner.length === 0) return own;
  const ends = outputs.map(({ tensor }) => tensor);
  const needed = upstream(nodes, ends, new Set(inner.map(({ tensor }) => nodeOf(tensor))));
  return [...own, ...inner].filter(({ tensor }) => needed.has(nodeOf(tensor)));
}

interface Signature {
  readonly inputs?: Readonly<Record<string, SignatureInput>>;
  readonly outputs?: Readonly<Record<string, { readonly name?: string }>>;
}
interface SignatureInput {
  readonly tensorShape?: {
    readonly dim?: readonly { readonly size?: string | number }[];
    readonly unknownRank?: boolean;
  };
}

/** The placeholder's shape; where it has none, the signature's. Sizes unknown to TF are −1. */
function declared(
  placeholder: readonly number[] | undefined,
  input: SignatureInput | undefined,
): (number | null)[] | undefined {
  const { dim, unknownRank } = input?.tensorShape ?? {};
  const sizes =
    placeholder ?? (unknownRank ? undefined : dim?.map(({ size }) => Number(size ?? 0)));
  return sizes?.map((d) => (d === null || d < 0 ? null : d));
}

/** A tensor's first output goes without saying. */
const plain = (name: string): string => name.replace(/:0$/, '');
