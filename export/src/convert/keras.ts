/**
 * Brings the description of a layers model into the form that TF.js reads, that of Keras 2. Keras 3
 * writes types and layers as objects with their modules, inputs as `batch_shape`, and calls with
 * arguments by name; some tools write a single connection without the list around it.
 */
import type { io } from '@tensorflow/tfjs-core';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Config = { [key: string]: Json };

const isConfig = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A connection: the name of a layer, which of its calls, and which of that call's outputs. */
type Connection = [layer: string, call: number, output: number, ...rest: Json[]];

const isConnection = (value: Json | undefined): value is Connection =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';

/** The same model as Keras 2 would describe it, with the names of its weights as TF.js expects them. */
export function asKeras2(artifacts: io.ModelArtifacts): io.ModelArtifacts {
  const topology = artifacts.modelTopology as Config;
  const { model_config: config } = topology;
  const modelTopology = isConfig(config)
    ? { ...topology, model_config: plain(config) }
    : plain(topology);
  const { weightSpecs } = artifacts;
  return {
    ...artifacts,
    modelTopology: modelTopology as object,
    ...(weightSpecs &&
      isKeras3(topology) && { weightSpecs: weightSpecs.map(renamer(modelTopology as Config)) }),
  };
}

const isKeras3 = ({ keras_version: version }: Config): boolean =>
  typeof version === 'string' && /^[3-9]\./.test(version);

/** Parts of the recurrent layers that Keras 3 names and TF.js does not. */
const CELL = /^(lstm|gru|simple_rnn)_cell(_\d+)?$/;

/** Weights that TF.js calls otherwise, by the class of their layer. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DepthwiseConv2D: { kernel: 'depthwise_kernel' },
};

/**
 * `model/layer/kernel` is `layer/kernel`: the last two parts, without the cell of a recurrent layer.
 * The state of a random generator, as of dropout, is no weight; TF.js passes over what an optimiser has.
 */
function renamer(topology: Config): (spec: io.WeightsManifestEntry) => io.WeightsManifestEntry {
  const classes = new Map<string, string>();
  collectClasses(topology, classes);
  return (spec) => {
    const parts = spec.name.split('/').filter((part) => !CELL.test(part));
    const [layer = '', weight = ''] = parts.slice(-2);
    if (/^seed_generator/.test(layer)) return { ...spec, group: 'optimizer' };
    return { ...spec, name: `${layer}/${WEIGHTS[classes.get(layer) ?? '']?.[weight] ?? weight}` };
  };
}

/** The class of each layer, by its name. */
function collectClasses(value: Json, into: Map<string, string>): void {
  if (Array.isArray(value)) for (const item of value) collectClasses(item, into);
  if (!isConfig(value)) return;
  const { class_name: kind, config } = value;
  if (typeof kind === 'string' && isConfig(config) && typeof config.name === 'string') {
    into.set(config.name, kind);
  }
  for (const item of Object.values(value)) collectClasses(item, into);
}

/** A value of a description, with everything in it, as Keras 2 writes it. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isConfig(value)) return value;
  // An object of Keras 3 says where its class is; a policy of types stands for its type.
  if (value.class_name === 'DTypePolicy' && isConfig(value.config)) {
    return value.config.name ?? 'float32';
  }
  if (value.class_name === 'function' && typeof value.config === 'string') return value.config;
  const { module: _, registered_name: __, build_config: ___, ...rest } = value;
  return Object.fromEntries(
    Object.entries('module' in value || 'registered_name' in value ? rest : value).map(
      ([key, part]) => {
        const read = READERS[key];
        return read ? [read.key ?? key, read.value(part)] : [key, plain(part)];
      },
    ),
  );
}

/** Keys whose form differs. */
const READERS: Readonly<Record<string, { key?: string; value: (value: Json) => Json }>> = {
  batch_shape: { key: 'batch_input_shape', value: (shape) => shape },
  inbound_nodes: { value: (calls) => (Array.isArray(calls) ? calls.map(callOf) : calls) },
  input_layers: { value: connections },
  output_layers: { value: connections },
};

/** All connections in lists and groups, in their order. */
function connections(value: Json): Json[] {
  if (isConnection(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(connections);
  return isConfig(value) ? Object.values(value).flatMap(connections) : [];
}

/** A call of a layer as a list of connections. */
function callOf(call: Json): Json {
  if (isConnection(call)) return [call]; // the list around it is missing
  if (!isConfig(call)) return call;
  const { args, kwargs } = call;
  const inputs = tensorsOf(args ?? []);
  const named = isConfig(kwargs) ? kwargs : {};
  // What is given by name is a number or a choice, or a further input.
  const given = Object.fromEntries(
    Object.entries(named).filter(([, v]) => v !== null && tensorsOf(v).length === 0),
  );
  return [...inputs, ...tensorsOf(named)].map((input) => [...input, given]);
}

/** The tensors of Keras 3 in a value: each says which layer made it. */
function tensorsOf(value: Json): [string, number, number][] {
  if (Array.isArray(value)) return value.flatMap(tensorsOf);
  if (!isConfig(value)) return [];
  if (value.class_name !== '__keras_tensor__') return Object.values(value).flatMap(tensorsOf);
  const history = isConfig(value.config) ? value.config.keras_history : undefined;
  return [history as [string, number, number]];
}
