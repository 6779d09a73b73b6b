/** A trained network as an .onnx file that describes itself. */
import { spec, type TensorSpec, type TraceOptions, trace } from '@gpn/export';
import type { Network } from '@gpn/models';
import { type ModelInfo, makeCertificate, openSession, withModelInfo } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { sideOf } from '../data/fragments.js';
import { isNamed } from '../data/sets/dataset.js';
import { constants, tensorsBelow } from '../engine/state.js';
import type { Method } from '../methods/method.js';
import { ganOf, networksOf } from '../recipe/gan.js';
import { preparationOf } from '../recipe/keys/common.js';
import { recipeHash } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { measuredStatistics } from './statistics.js';
import { VERSIONS } from './versions.js';

/** One of the two networks of a GAN. */
export type Role = 'generator' | 'discriminator';

/** How the file is written. */
export type StorageOptions = Pick<TraceOptions, 'float16' | 'opset'>;

/** The main input of an exported network; conditions are further inputs with their own names. */
const INPUT = { generator: 'latents', discriminator: 'images' } as const;

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
  const gan = ganOf(checkpoint.recipe);
  const slides = role === 'discriminator' && gan.slides;
  const network = slides ? networksOf(checkpoint.recipe, 1, true)[role] : gan.pair[role];
  const shape = slides ? ['H', 'W', network.inputShape.at(-1) as number] : network.inputShape;
  const inputs: Record<string, TensorSpec> = { [INPUT[role]]: spec(['N', ...shape]) };
  for (const [name, size] of Object.entries(network.conditions)) inputs[name] = spec(['N', size]);
  const { params, buffers } = await learned(checkpoint, role, network);
  const model = trace(
    ({ [INPUT[role]]: x, ...conditions }: Record<string, Tensor>) => {
      const pass = { training: false, conditions };
      const { y } = network.apply(constants(params), constants(buffers), x as Tensor, pass);
      return role === 'generator' ? { images: y } : { ...gan.outputs(x as Tensor, y) };
    },
    inputs,
    {
      name: `${checkpoint.recipe.name} ${role}`,
      doc: checkpoint.recipe.description,
      float16,
      opset,
    },
  );
  const bytes = model.toBytes();
  const info = modelInfoOf(checkpoint, role, gan);
  const session = await openSession(bytes, { device: 'cpu', label: info.name });
  try {
    const certified = { ...info, certificate: await makeCertificate(session, info) };
    return { bytes: withModelInfo(bytes, certified), info: certified };
  } finally {
    await session.dispose();
  }
}

/** A network's weights and running statistics; the average weights, if the training kept them. */
async function learned({ recipe, state }: Checkpoint, role: Role, network: Network) {
  const average = `${role}/average`;
  if (Object.keys(state).some((name) => name.startsWith(`${average}/`))) {
    const params = tensorsBelow(state, average, network.params);
    return { params, buffers: await measuredStatistics(recipe, network, params) };
  }
  return {
    params: tensorsBelow(state, `${role}/params`, network.params),
    buffers: tensorsBelow(state, `${role}/buffers`, network.buffers),
  };
}

/** The description that is stored in the file. */
function modelInfoOf({ recipe, progress }: Checkpoint, role: Role, gan: Method): ModelInfo {
  const generates = role === 'generator';
  const { packing = 1 } = recipe.training;
  return {
    version: 1,
    name: generates ? recipe.name : `${recipe.name}-discriminator`,
    kind: !generates && gan.scores === 'critic' ? 'critic' : role,
    input: INPUT[role],
    output: generates ? 'images' : 'scores',
    image: describeImage(recipe, role, gan),
    ...(generates ? { latent: recipe.model.latent } : { scores: gan.scores }),
    ...(!generates && recipe.model.fragment && { fragment: recipe.model.fragment }),
    ...(!generates && packing > 1 && { packing }),
    ...describeConditions(recipe, progress, role),
    training: {
      recipe: recipeHash(recipe),
      dataset: { name: progress.dataset.name, hash: progress.dataset.hash },
      steps: progress.step,
      epochs: progress.epochs,
      seed: recipe.training.seed,
      ...(progress.rate_scales && { learning_rate_scales: progress.rate_scales }),
      versions: VERSIONS,
    },
    ...(!generates && progress.quality && { quality: progress.quality }),
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
  { model: { classes, categories, codes }, training }: Recipe,
  { dataset }: Checkpoint['progress'],
  role: Role,
): Pick<ModelInfo, 'condition' | 'codes'> {
  const choices = classes ?? (role === 'generator' ? categories : undefined);
  const named = classes ?? training.information?.supervised;
  const names = named && dataset.classes?.length === choices ? dataset.classes : undefined;
  return {
    ...(choices && {
      condition: {
        input: classes ? 'labels' : 'categories',
        classes: choices,
        ...(names && { names }),
      },
    }),
    ...(role === 'generator' &&
      codes && { codes: { input: 'codes', size: codes, range: [-1, 1] as [number, number] } }),
  };
}
