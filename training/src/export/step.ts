/** A training step as a file, by which a page trains. */
import { flatten, isSpec, type OnnxModel, type TensorSpec, TIMES } from '@gpn/export/trace';
import { UserError } from '@gpn/runtime';
import { withMetadata } from '@gpn/runtime/write';
import { gzipSync } from 'fflate';
import { isNamed } from '../data/sets/names.js';
import { stateNames } from '../engine/state.js';
import { repeatedBytes, traceStep } from '../engine/traced.js';
import { ganOf } from '../recipe/gan.js';
import { nameOf, recipeHash, settingsHash } from '../recipe/hash.js';
import type { Recipe } from '../recipe/schema.js';
import { startingSpecs } from '../steps/state.js';
import { draftOf, networkTemplate } from './network.js';
import { statisticsPlan, traceStatistics } from './statistics.js';
import {
  graphKey,
  STEP_KEY,
  STEP_VERSION,
  type StepGraph,
  type StepInfo,
  type StepInput,
  type StepRole,
} from './step-file.js';
import { VERSIONS } from './versions.js';

/**
 * The training step of a recipe as an ONNX file that describes itself.
 * @param width factor of the networks' channels, 1 by default; tests use less
 * @throws UserError if the networks of the recipe are trained in turns
 */
export function stepFile(recipe: Recipe, width?: number): Uint8Array {
  const gan = ganOf(recipe, width);
  const [phase, second] = gan.phases;
  if (phase?.plan === undefined || second !== undefined) {
    throw new UserError(
      `${recipe.name} trains its networks in turns on fragments of images, which a page cannot do yet: train it with gpn-cli train.`,
    );
  }
  const { data, model } = recipe;
  const start = startingSpecs(gan.state);
  const drawn = Object.values(start).some(({ start: { kind } }) => kind === 'drawn');
  const { generator } = gan.pair;
  const measures = recipe.training.generator_average && Object.keys(generator.buffers).length > 0;
  const traced = traceStep(phase.step, phase.inputs, `training step of ${recipe.name}`);
  const dataset = isNamed(data.dataset) ? data.dataset : nameOf(data.dataset);
  const info: StepInfo = {
    version: STEP_VERSION,
    // Where its files lie on this machine is nobody's business.
    recipe: {
      ...recipe,
      data: { ...data, dataset },
      model: { ...model, network: nameOf(model.network) },
    },
    settings: settingsHash(recipe),
    provenance: { hash: recipeHash(recipe), versions: VERSIONS },
    times: TIMES,
    inputs: flatten(phase.inputs, isSpec, 'inputs').map(({ name, leaf }) => inputOf(name, leaf)),
    metrics: traced.graph.outputs.flatMap(({ name }) =>
      name.startsWith('metrics/') ? [name.slice('metrics/'.length)] : [],
    ),
    ...(!drawn && { start }),
    feeds: phase.plan,
    networks: {
      generator: draftOf(recipe, 'generator', gan),
      discriminator: draftOf(recipe, 'discriminator', gan),
    },
    ...(measures && { statistics: statisticsPlan(recipe, generator) }),
    phase: { name: phase.name, rates: phase.rates },
  };
  const graphs: readonly (readonly [StepGraph, OnnxModel])[] = [
    ['generator', networkTemplate(recipe, 'generator', gan)],
    ['discriminator', networkTemplate(recipe, 'discriminator', gan)],
    ...(measures ? ([['statistics', traceStatistics(recipe, generator)]] as const) : []),
  ];
  const bytes = repeatedBytes(traced, stateNames(phase.inputs));
  return [
    [STEP_KEY, JSON.stringify(info)] as const,
    ...graphs.map(([name, model]) => [graphKey(name), packed(model.toBytes())] as const),
  ].reduce((file, [key, value]) => withMetadata(file, key, value), bytes);
}

/**
 * Its tables of indices are large, and hardly differ from row to row. Node's own gzip and those of
 * browsers write different bytes.
 */
const packed = (bytes: Uint8Array): string => base64(gzipSync(bytes, { level: 9, mtime: 0 }));

const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

const inputOf = (name: string, { dtype, shape }: TensorSpec): StepInput => ({
  name,
  role: name.split('/')[0] as StepRole,
  dtype,
  shape: shape as readonly number[],
});
