/**
 * Brings the description of a layers model into the form that TF.js reads, that of Keras 2. Keras 3
 * writes types and layers as objects with their modules, inputs as `batch_shape`, and calls with
 * arguments by name; some tools write a single connection without the list around it.
 */
import type { io } from '@tensorflow/tfjs-core';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Config = { [key: string]: Json };

export const isConfig = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A connection: the name of a layer, which of its calls, and which of that call's outputs. */
type Connection = [layer: string, call: number, output: number, ...rest: Json[]];

const isConnection = (value: Json | undefined): value is Connection =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';

/** The same model as Keras 2 would describe it, with the names of its weights as TF.js expects them. */
export function asKeras2(artifacts: io.ModelArtifacts): io.ModelArtifacts {
  const topology = artifacts.modelTopology as Config;
  const { model_config: config } = topology;
  const read = (model: Config): Json =>
    isKeras3(topology) ? fromKeras3(plain(model), sequencesIn(model)) : plain(model);
  const modelTopology = isConfig(config)
    ? { ...topology, model_config: read(config) }
    : read(topology);
  const { weightSpecs } = artifacts;
  return {
    ...artifacts,
    modelTopology: modelTopology as object,
    ...(weightSpecs &&
      isKeras3(topology) &&
      !areNumbered(artifacts) && {
        weightSpecs: weightSpecs.map(renamer(modelTopology as Config)),
      }),
  };
}

/** Whether weights are called by the place of their layer in a `.keras` file, and a number. */
export const areNumbered = ({ weightSpecs = [] }: io.ModelArtifacts): boolean =>
  weightSpecs.some(({ name }) => /(^|\/)vars\/\d+$/.test(name));

const isKeras3 = ({ keras_version: version }: Config): boolean =>
  typeof version === 'string' && /^[3-9]\./.test(version);

/** Parts of the recurrent layers that Keras 3 names and TF.js does not. */
const CELL = /^(lstm|gru|simple_rnn)_cell(_\d+)?$/;

/** Weights that TF.js calls otherwise, by the class of their layer. */
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DepthwiseConv2D: { kernel: 'depthwise_kernel' },
};

/**
 * `model/layer/kernel` is `layer/kernel`: the last two parts, without the cell of a recurrent layer. Of
 * a layer in a wrapper the wrapper's name is kept, beside its own or in its place.
 * The state of a random generator, as of dropout, is no weight; TF.js passes over what an optimiser has.
 */
function renamer(topology: Config): (spec: io.WeightsManifestEntry) => io.WeightsManifestEntry {
  const classes = new Map<string, string>();
  collectClasses(topology, classes);
  return (spec) => {
    const parts = spec.name.split('/').filter((part) => !CELL.test(part));
    const [layer = '', weight = ''] = parts.slice(-2);
    if (/^seed_generator/.test(layer)) return { ...spec, group: 'optimizer' };
    const wrapper = parts.at(-3) ?? '';
    const name = WEIGHTS[classes.get(layer) ?? '']?.[weight] ?? weight;
    const kind = classes.get(wrapper) ?? '';
    if (kind === 'TimeDistributed') return { ...spec, name: `${wrapper}/${name}` };
    return {
      ...spec,
      name: kind === 'Bidirectional' ? `${wrapper}/${layer}/${name}` : `${layer}/${name}`,
    };
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

/** The names of models within a model that are lists of layers. */
function sequencesIn(model: Config): ReadonlySet<string> {
  const kinds = new Map<string, string>();
  collectClasses(model, kinds);
  return new Set([...kinds].flatMap(([name, kind]) => (kind === 'Sequential' ? [name] : [])));
}

/**
 * Names and numbers that Keras 3 gives otherwise, though in the same form. It counts the calls of a
 * list of layers from 0, where the first is the list's own; it names the layer in a Bidirectional as the
 * forward one, which TF.js does by itself.
 */
function fromKeras3(value: Json, sequences: ReadonlySet<string>): Json {
  if (isConnection(value)) {
    const [layer, call, ...rest] = value;
    return sequences.has(layer) ? [layer, call + 1, ...rest] : value;
  }
  if (Array.isArray(value)) return value.map((item) => fromKeras3(item, sequences));
  if (!isConfig(value)) return value;
  const read = Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, fromKeras3(part, sequences)]),
  );
  if (read.class_name !== 'Bidirectional') return read;
  const { backward_layer: _, layer, ...config } = read.config as Config;
  const { config: inner } = layer as { config: Config };
  const name = String(inner.name).replace(/^forward_/, '');
  return {
    ...read,
    config: { ...config, layer: { ...(layer as Config), config: { ...inner, name } } },
  };
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
  activation: { value: (name) => (name === 'silu' ? 'swish' : plain(name)) },
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
