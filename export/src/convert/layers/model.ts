import type * as tf from '@tensorflow/tfjs-core';
import type { layers as Layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ExportError } from '../../error.js';
import { reasonOf } from '../../reason.js';
import { enter, type Place } from '../../trace/place.js';
import { type Cut, checked, type LoadedModel, unique } from '../loaded.js';
import { mendCalls, mendLayers } from '../mended/layers.js';
import type { ModelFiles } from '../source/files.js';
import { areNumbered, asKeras2 } from './keras.js';
import { placeWeights, withoutWeights } from './numbered-weights.js';
import { checkTopology } from './topology.js';

/** A model of layers, as tfjs-layers or Keras made it. */
export async function loadLayers(
  { path, artifacts: found }: ModelFiles,
  cut: Cut,
): Promise<LoadedModel> {
  const { loadLayersModel, model: modelOf, Sequential } = await import('@tensorflow/tfjs-layers');
  mendLayers();
  const artifacts = asKeras2(found);
  checkTopology(path, artifacts.modelTopology as object);
  const numbered = areNumbered(artifacts);
  const whole = await loadLayersModel({
    load: async () => (numbered ? withoutWeights(artifacts) : artifacts),
  });
  // A list of layers knows its inputs by name only when it is built.
  if (whole instanceof Sequential) whole.build();
  if (numbered) placeWeights(path, whole, artifacts);
  const ends = cut.outputs?.map((name) => layerOutput(path, whole, name)) ?? whole.outputs;
  // TF.js computes an output once, even if it is listed twice.
  const distinct = [...new Set(ends)];
  const isWhole = ends === whole.outputs && distinct.length === ends.length;
  const model = isWhole ? whole : modelOf({ inputs: whole.inputs, outputs: distinct });
  const all = flatLayers(whole);
  const ofKeras = !/^tfjs/.test(kerasVersion(artifacts.modelTopology));
  const others = mendCalls(all, ofKeras);
  followLayers(all);
  return {
    kind: 'layers',
    notes: others.length > 0 ? [differs(others)] : [],
    name: whole.name,
    inputs: whole.inputs.map(({ shape, dtype }, i) => ({
      name: whole.inputNames[i] as string,
      shape,
      dtype: checked(path, whole.inputNames[i] as string, dtype),
    })),
    outputs: unique(cut.outputs ?? whole.outputNames),
    apply(inputs) {
      // A stateful layer starts each run from its first state, as a fresh model does.
      model.resetStates();
      const given = inputs.length === 1 ? (inputs[0] as tf.Tensor) : inputs;
      const outputs = [model.apply(given, { training: false })].flat() as tf.Tensor[];
      return ends.map((end) => outputs[distinct.indexOf(end)] as tf.Tensor);
    },
    howToCut: ({ name }) => cutBefore(whole.layers.find((layer) => layer.name === name)),
    dispose: () => whole.dispose(),
  };
}

/** An output of a layers model, or what a layer of it gives. */
function layerOutput(path: string, model: LayersModel, name: string): SymbolicTensor {
  const at = unique(model.outputNames).indexOf(name);
  if (at >= 0) return model.outputs[at] as SymbolicTensor;
  const layer = model.layers.find((other) => other.name === name);
  if (!layer) {
    throw new ExportError(
      `${path} has no output and no layer "${name}": its layers are ${model.layers.map((l) => l.name).join(', ')}.`,
    );
  }
  try {
    return [layer.output].flat()[0] as SymbolicTensor;
  } catch (error) {
    throw new ExportError(
      `The layer "${name}" of ${path} cannot be an output: ${reasonOf(error)}.`,
    );
  }
}

/** How to end the file before a layer. */
function cutBefore(layer: Layers.Layer | undefined): string {
  const before = (layer?.inboundNodes ?? []).flatMap(({ inboundLayers }) => inboundLayers);
  const names = before.filter(({ inboundNodes: [node] }) => node?.inboundLayers.length);
  return names.length > 0
    ? `--outputs ${[...new Set(names.map(({ name }) => name))].join(',')} ends the file before it.`
    : '';
}

/** The version of Keras that a layers model was made with; TF.js has its own, `tfjs-layers 4.22.0`. */
const kerasVersion = (topology: object | undefined): string =>
  `${(topology as { keras_version?: string }).keras_version ?? ''}`;

const differs = (layers: readonly string[]): string =>
  `TF.js gives other values than Keras, from which the model comes, in ${layers.join(', ')}: the file gives those of Keras.`;

/** All layers of a model, those of models within it as well. */
const flatLayers = (model: LayersModel): Layers.Layer[] =>
  model.layers.flatMap((layer) =>
    'layers' in layer ? flatLayers(layer as unknown as LayersModel) : [layer],
  );

/** Says which layer runs, while it does; after an error, which one did. */
function followLayers(all: readonly Layers.Layer[]): void {
  for (const layer of all) {
    const place: Place = { part: 'layer', name: layer.name, kind: layer.getClassName() };
    const call = layer.call.bind(layer);
    layer.call = (...given) => {
      const before = enter(place);
      const result = call(...given);
      enter(before);
      return result;
    };
  }
}
