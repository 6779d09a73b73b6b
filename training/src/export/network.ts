/** A trained network as an .onnx file that describes itself. */
import { type OnnxModel, spec, type TensorSpec, type TraceOptions, trace } from '@gpn/export/trace';
import { inOrientations, type Network, type Pair } from '@gpn/models';
import { type ModelInfo, openSession } from '@gpn/runtime';
import { makeCertificate, withModelInfo } from '@gpn/runtime/write';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { sideOf } from '../data/fragments/corners.js';
import { isNamed } from '../data/sets/names.js';
import { constants, tensorsBelow } from '../engine/state.js';
import type { Method } from '../methods/method.js';
import { ganOf, networksOf } from '../recipe/gan.js';
import { recipeHash } from '../recipe/hash.js';
import { preparationOf } from '../recipe/keys/common.js';
import type { Recipe } from '../recipe/schema.js';
import { mapRecord } from '../records.js';
import { type NetworkDraft, pathsOf, type Role, trainedInfo } from './info.js';
import { measuredStatistics } from './statistics.js';
import { VERSIONS } from './versions.js';

export type { Role } from './info.js';

/** How the file is written. */
export type StorageOptions = Pick<TraceOptions, 'float16' | 'opset'>;

/** The main input of an exported network; conditions are further inputs with their own names. */
const INPUT: Readonly<Record<Role, string>> = { generator: 'latents', discriminator: 'images' };

/**
 * Exports a trained network as an .onnx file in inference mode: its running statistics are folded into
 * the weights, its batch size is free, and it contains its own description and a certificate of
 * values computed on the CPU.
 * @param options float16: store the weights as float16, which halves the file and which fewer engines
 *   read; opset: the file's, by default the lowest that the network's operators allow
 * @returns the file's bytes and its description
 * @throws UserError if the checkpoint does not fit its recipe; ExportError if the network cannot have
 *   that opset
 */
export async function exportNetwork(
  checkpoint: Checkpoint,
  role: Role,
  { float16 = false, opset }: StorageOptions = {},
): Promise<{ bytes: Uint8Array; info: ModelInfo }> {
  const { recipe } = checkpoint;
  const gan = ganOf(recipe);
  const slides = isSliding(role, gan);
  const network = writtenNetwork(recipe, role, gan);
  const weights = await learned(checkpoint, role, network);
  const model = trace(
    (inputs: Record<string, Tensor>) =>
      forward(gan, role, network, inputs, {
        params: constants(weights.params),
        buffers: constants(weights.buffers),
      }),
    inputsOf(role, network, slides),
    { name: titleOf(recipe, role), doc: recipe.description, float16, opset },
  );
  const bytes = model.toBytes();
  const info = trainedInfo(draftOf(recipe, role, gan), recipe, checkpoint.progress, {
    hash: recipeHash(recipe),
    versions: VERSIONS,
  });
  const session = await openSession(bytes, { device: 'cpu', label: info.name });
  try {
    const certified = { ...info, certificate: await makeCertificate(session, info) };
    return { bytes: withModelInfo(bytes, certified), info: certified };
  } finally {
    await session.dispose();
  }
}

/**
 * A network as `exportNetwork` writes it, with inputs `params/…` and `buffers/…` in place of its weights:
 * a page makes them constants at the end of a training.
 */
export const networkTemplate = (
  recipe: Recipe,
  role: Role,
  gan: Method & { readonly pair: Pair },
  width?: number,
): OnnxModel => {
  const slides = isSliding(role, gan);
  const network = writtenNetwork(recipe, role, gan, width);
  const weights = (specs: Network['params']) =>
    mapRecord(specs, ({ shape }): TensorSpec => ({ ...spec(shape), weight: true }));
  return trace(
    ({ params, buffers, ...inputs }) =>
      forward(gan, role, network, inputs as Record<string, Tensor>, { params, buffers }),
    {
      ...inputsOf(role, network, slides),
      params: weights(network.params),
      buffers: weights(network.buffers),
    },
    { name: titleOf(recipe, role), doc: recipe.description },
  );
};

const isSliding = (role: Role, { slides }: Method): boolean =>
  role === 'discriminator' && slides === true;

/** The network that is written: a discriminator of fragments slides over images, in all orientations asked for. */
function writtenNetwork(
  recipe: Recipe,
  role: Role,
  gan: Method & { readonly pair: Pair },
  width?: number,
): Network {
  if (!isSliding(role, gan)) return gan.pair[role];
  const network = networksOf(recipe, width, true)[role];
  const { orientations } = recipe.model.fragment ?? {};
  return orientations ? inOrientations(network, orientations) : network;
}

const titleOf = ({ name }: Recipe, role: Role): string => `${name} ${role}`;

/** The inputs of a network in inference mode. */
function inputsOf(role: Role, network: Network, slides = false): Record<string, TensorSpec> {
  const shape = slides ? ['H', 'W', network.inputShape.at(-1) as number] : network.inputShape;
  return {
    [INPUT[role]]: spec(['N', ...shape]),
    ...mapRecord(network.conditions, (size) => spec(['N', size])),
  };
}

/** What a network computes in inference mode. */
function forward(
  gan: Method,
  role: Role,
  network: Network,
  { [INPUT[role]]: x, ...conditions }: Record<string, Tensor>,
  { params, buffers }: Readonly<Record<'params' | 'buffers', Record<string, Tensor>>>,
): Record<string, Tensor> {
  const { y } = network.apply(params, buffers, x as Tensor, { training: false, conditions });
  return role === 'generator' ? { images: y } : { ...gan.outputs(x as Tensor, y) };
}

/** A network's weights and running statistics; the average weights, if the training kept them. */
async function learned({ recipe, state, progress }: Checkpoint, role: Role, network: Network) {
  const paths = pathsOf(state, role);
  const params = tensorsBelow(state, paths.params, network.params);
  return {
    params,
    buffers: paths.averaged
      ? await measuredStatistics(recipe, network, params, progress.dataset.shares)
      : tensorsBelow(state, paths.buffers, network.buffers),
  };
}

/** What a file says about its fragments: in how many orientations they are judged is in its graph alone. */
const describeFragment = ({
  orientations: _,
  ...fragment
}: NonNullable<Recipe['model']['fragment']>): NonNullable<ModelInfo['fragment']> => fragment;

/** What a network says about itself before it is trained. */
export function draftOf(recipe: Recipe, role: Role, gan: Method): NetworkDraft {
  const generates = role === 'generator';
  const { packing = 1 } = recipe.training;
  return {
    version: !generates && recipe.model.fragment?.scales ? 2 : 1,
    name: generates ? recipe.name : `${recipe.name}-discriminator`,
    kind: !generates && gan.scores === 'critic' ? 'critic' : role,
    input: INPUT[role],
    output: generates ? 'images' : 'scores',
    image: describeImage(recipe, role, gan),
    ...(generates ? { latent: recipe.model.latent } : { scores: gan.scores }),
    ...(!generates &&
      recipe.model.fragment && { fragment: describeFragment(recipe.model.fragment) }),
    ...(!generates && packing > 1 && { packing }),
    ...describeConditions(recipe, role),
  };
}

/** What a number of channels is called in the metadata. */
export const COLORS = { 1: 'gray', 3: 'rgb', 4: 'rgba' } as const;

/** The images that the network draws or takes; for a fragment discriminator, the fragments. */
function describeImage({ data, model }: Recipe, role: Role, gan: Method): ModelInfo['image'] {
  const side = role === 'discriminator' && model.fragment ? sideOf(model.fragment) : undefined;
  return {
    height: side ?? data.height,
    width: side ?? data.width,
    channels: data.channels,
    range: [...(gan.range ?? data.range)],
    layout: 'NHWC',
    color: COLORS[data.channels],
    // Named data sets have their images ready: nothing was done to them.
    ...(!isNamed(data.dataset) && { preparation: preparationOf(data) }),
  };
}

/** The classes, categories and codes that the network takes in addition to its main input. */
function describeConditions(
  { model: { classes, categories, codes } }: Recipe,
  role: Role,
): Pick<ModelInfo, 'condition' | 'codes'> {
  const choices = classes ?? (role === 'generator' ? categories : undefined);
  return {
    ...(choices && { condition: { input: classes ? 'labels' : 'categories', classes: choices } }),
    ...(role === 'generator' &&
      codes && { codes: { input: 'codes', size: codes, range: [-1, 1] as [number, number] } }),
  };
}
