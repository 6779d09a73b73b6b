/**
 * Weights as a `.keras` file has them: by the place of their layer and a number, such as
 * `layers/dense_1/vars/0`. A layer is called by its class there, counted in the order of the
 * description, and not by its name; a part of a layer by the attribute that holds it
 * (keras/src/saving/saving_lib.py of Keras 3.15).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { layers as Layers, LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { ExportError } from '../../error.js';
import { isConfig, type Json } from './keras.js';

type Layer = Layers.Layer;

/** Belongs to a training, or to a random generator, as of dropout. */
const NO_WEIGHT = /^(optimizer|metrics?)\/|(^|\/)seed_generator\//;

/** A model's description without its weights, whose first values take no time to draw. */
export const withoutWeights = ({
  weightSpecs: _,
  weightData: __,
  ...artifacts
}: tf.io.ModelArtifacts): tf.io.ModelArtifacts => ({
  ...artifacts,
  modelTopology: startingAtZero(artifacts.modelTopology as Json) as object,
});

function startingAtZero(value: Json): Json {
  if (Array.isArray(value)) return value.map(startingAtZero);
  if (!isConfig(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key.endsWith('_initializer') && part !== null
        ? { class_name: 'Zeros', config: {} }
        : startingAtZero(part),
    ]),
  );
}

/**
 * Gives a model's layers the weights of its files.
 * @throws ExportError if a weight has no place, another shape than its place, or is missing
 */
export function placeWeights(
  path: string,
  model: LayersModel,
  { modelTopology, weightSpecs = [], weightData }: tf.io.ModelArtifacts,
): void {
  const orders = new Map<string, string[]>();
  collectOrders(modelTopology as Json, orders);
  const places = new Map<string, LayerVariable>();
  collectPlaces(model, '', orders, places);
  const values = tf.io.decodeWeights(weightData ?? new ArrayBuffer(0), weightSpecs);
  for (const [name, value] of Object.entries(values)) {
    if (NO_WEIGHT.test(name)) continue;
    const place = name.replaceAll('_layer_checkpoint_dependencies/', 'layers/');
    const variable = places.get(place);
    if (!variable) throw new ExportError(`${path} has a weight ${name}, but no layer for it.`);
    if (`${variable.shape}` !== `${value.shape}`) {
      throw new ExportError(
        `The weight ${name} of ${path} has the shape [${value.shape}], where ${variable.originalName} takes [${variable.shape}].`,
      );
    }
    variable.write(value);
    places.delete(place);
  }
  tf.dispose(values);
  const [missing] = places;
  if (missing) {
    const [place, { originalName }] = missing;
    throw new ExportError(
      `${path} has no weight ${place} for ${originalName}: convert the original again.`,
    );
  }
}

/** The names of each model's layers, in the order of the description; TF.js has an order of its own. */
function collectOrders(value: Json, into: Map<string, string[]>): void {
  if (Array.isArray(value)) for (const item of value) collectOrders(item, into);
  if (!isConfig(value)) return;
  const { name, layers } = value;
  if (typeof name === 'string' && Array.isArray(layers)) {
    const configs = layers.filter(isConfig).map(({ config }) => config);
    into.set(
      name,
      configs.filter(isConfig).map((config) => String(config.name)),
    );
  }
  for (const item of Object.values(value)) collectOrders(item, into);
}

/** Where each variable of a layer and of its parts is in the file. */
function collectPlaces(
  layer: Layer,
  at: string,
  orders: ReadonlyMap<string, readonly string[]>,
  into: Map<string, LayerVariable>,
): void {
  const parts = partsOf(layer, orders);
  if (parts.length === 0) {
    layer.weights.forEach((variable, i) => {
      into.set(`${at}vars/${i}`, variable);
    });
  }
  for (const [name, part] of parts) collectPlaces(part, `${at}${name}/`, orders, into);
}

/** The layers that a layer is made of, by the names that Keras gives them. */
function partsOf(
  layer: Layer,
  orders: ReadonlyMap<string, readonly string[]>,
): [name: string, part: Layer][] {
  const { layers, cells } = layer as unknown as Record<string, Layer[] | undefined>;
  if (layers) {
    const order = orders.get(layer.name) ?? [];
    const sorted = [...layers].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    return counted('layers', sorted);
  }
  if (cells) return counted('cells', cells);
  return Object.entries(layer).flatMap(([key, value]) =>
    isLayer(value) ? [[snake(key), value] satisfies [string, Layer]] : [],
  );
}

const isLayer = (value: unknown): value is Layer =>
  typeof (value as Layer | null)?.getClassName === 'function' &&
  Array.isArray((value as Layer).weights);

/** Layers by their classes, with a number from the second one of a class on. */
function counted(container: string, layers: readonly Layer[]): [string, Layer][] {
  const seen = new Map<string, number>();
  return layers.map((layer) => {
    const name = snake(layer.getClassName());
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return [`${container}/${name}${count > 0 ? `_${count}` : ''}`, layer];
  });
}

/** As keras/src/utils/naming.py writes the name of a class: Conv2DTranspose is conv2d_transpose. */
const snake = (name: string): string =>
  name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
