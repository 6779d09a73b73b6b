/** A training step as a file, by which a page trains. */
import { flatten, isSpec, type OnnxModel, type TensorSpec, TIMES } from '@gpn/export/trace';
import { UserError } from '@gpn/runtime';
import { withMetadata } from '@gpn/runtime/write';
import { gzipSync } from 'fflate';
import { isNamed } from '../data/sets/names.js';
import { stateNames } from '../engine/state.js';
import { repeatedBytes, traceStep } from '../engine/traced.js';
import type { Phase } from '../methods/method.js';
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
  type StepPhase,
  type StepRole,
} from './step-file.js';
import { VERSIONS } from './versions.js';

/**
 * The training step of a recipe as an ONNX file that describes itself.
 * @param width factor of the networks' channels, 1 by default; tests use less
 * @throws UserError if the recipe is of a detector, which a page cannot calibrate
 */
export function stepFile(recipe: Recipe, width?: number): Uint8Array {
  if (recipe.training.predictive?.detector) {
    throw new UserError(
      `${recipe.name} is a detector, which is calibrated with pictures that it has not learnt from, as only gpn-cli train does: train it with that.`,
    );
  }
  const gan = ganOf(recipe, width);
  // Rounds share their steps.
  const distinct = gan.phases.filter(
    ({ step }, i) => gan.phases.findIndex((other) => other.step === step) === i,
  );
  const traced = distinct.map((phase) => ({
    phase,
    graph: traceStep(phase.step, phase.inputs, `training step of ${recipe.name}`),
  }));
  const { data, model } = recipe;
  const start = startingSpecs(gan.state);
  const drawn = Object.values(start).some(({ start: { kind } }) => kind === 'drawn');
  const { generator } = gan.pair;
  const measures = recipe.training.generator_average && Object.keys(generator.buffers).length > 0;
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
    phases: traced.map(({ phase, graph }) => phaseOf(phase, graph)),
    turns: gan.phases.map(({ step, turn = { round: 0, rounds: 1 } }) => ({
      phase: distinct.findIndex((phase) => phase.step === step),
      ...turn,
    })),
    ...(!drawn && { start }),
    networks: {
      generator: draftOf(recipe, 'generator', gan),
      discriminator: draftOf(recipe, 'discriminator', gan),
    },
    ...(measures && { statistics: statisticsPlan(recipe, generator) }),
  };
  const graphs: readonly (readonly [StepGraph, OnnxModel])[] = [
    ['generator', networkTemplate(recipe, 'generator', gan, width)],
    ['discriminator', networkTemplate(recipe, 'discriminator', gan, width)],
    ...(measures ? ([['statistics', traceStatistics(recipe, generator)]] as const) : []),
  ];
  const [bytes, ...others] = traced.map(({ phase, graph }) =>
    repeatedBytes(graph, stateNames(phase.inputs)),
  ) as [Uint8Array, ...Uint8Array[]];
  return [
    [STEP_KEY, JSON.stringify(info)] as const,
    ...graphs.map(([name, model]) => [graphKey(name), packed(model.toBytes())] as const),
    ...others.map((other, i) => [graphKey(`phase-${i + 1}`), packed(other)] as const),
  ].reduce((file, [key, value]) => withMetadata(file, key, value), bytes);
}

/** What the file says of a phase. */
const phaseOf = ({ name, rates, inputs, plan, epoch }: Phase, { graph }: OnnxModel): StepPhase => ({
  name,
  rates,
  inputs: flatten(inputs, isSpec, 'inputs').map(({ name, leaf }) => inputOf(name, leaf)),
  metrics: graph.outputs.flatMap(({ name }) =>
    name.startsWith('metrics/') ? [name.slice('metrics/'.length)] : [],
  ),
  feeds: plan,
  ...(epoch && { epoch }),
});

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
