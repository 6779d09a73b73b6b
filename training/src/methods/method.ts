/** The interface of a training method to recipes, the training loop and the export. */
import type { Tensors } from '@gpn/export/trace';
import type { Pair } from '@gpn/models';
import type { QualityInfo, ScoreMeaning } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Plan, Turn } from '../data/feeds/plans.js';
import type { Dataset, Images } from '../data/types.js';
import type { State, StepInputs, StepOutputs } from '../engine/types.js';
import type { CommonRecipe } from '../recipe/keys/common.js';
import type { StateSpecs } from '../steps/state.js';

/** A part of a training with its own step function and schedule. Most methods have one phase. */
export interface Phase {
  readonly name: string;
  /** The specs of the step's inputs; the group `rates` holds its learning rates, and what else a
   * schedule can change. */
  readonly inputs: StepInputs;
  /** One step, a pure function. */
  step(inputs: Tensors<StepInputs>): StepOutputs;
  /** Initial learning rates. A schedule lowers each by the metric of the same name. */
  readonly rates: Readonly<Record<string, number>>;
  /** Floating-point operations of a step, from the tables of the networks. */
  readonly flops: number;
  /** Number of its steps, if an epoch has `stepsPerEpoch` steps. */
  steps(stepsPerEpoch: number): number;
  /** How its feeds are made, as data: the file of a step carries it into a page. */
  readonly plan: Plan;
  /** Which of how many rounds, if it takes turns with others. */
  readonly turn?: Turn;
  /** Steps of an epoch by which its length is reckoned, if not those of its data. */
  readonly epoch?: number;
  /** The feeds for a data set. @throws UserError if the phase cannot use the data set */
  data(dataset: Dataset): PhaseData;
  /** Measures the trained network on held-out images at the end of the phase. */
  measure?(state: State, heldOut: Images): Promise<QualityInfo[]>;
}

/** The data of a phase. */
export interface PhaseData {
  /** Steps that show every image once. */
  readonly stepsPerEpoch: number;
  /** The feeds of step k of the phase (from 0), without state and rates; a pure function of k. */
  feeds(k: number): State;
}

/** A method, with the networks and settings of a recipe. */
export interface Method {
  /** The specs of the complete state, of all phases. */
  readonly state: StateSpecs;
  /** In the order in which they run. */
  readonly phases: readonly Phase[];
  /** What the discriminator's scores mean. */
  readonly scores: ScoreMeaning;
  /** The values of the pixels 0 and 255, if the method and not the recipe determines them. */
  readonly range?: readonly [number, number];
  /** Whether the discriminator is exported in its dense form, which slides over images of any size. */
  readonly slides?: boolean;
  /**
   * The outputs of the exported discriminator, by name; `scores` first.
   * @param y the network's output for these images
   */
  outputs(images: Tensor, y: Tensor): Readonly<Record<string, Tensor>>;
}

/** The keys of a recipe that belong to a method; those that are not optional are required. */
export interface OwnKeys {
  /** Of the section `training`. */
  readonly training: z.ZodRawShape;
  /** Of the section `model`. */
  readonly model: z.ZodRawShape;
}

/** A recipe with the keys of one method. */
export type RecipeWith<K extends OwnKeys> = CommonRecipe & {
  readonly training: z.infer<z.ZodObject<K['training']>>;
  readonly model: z.infer<z.ZodObject<K['model']>>;
};

/** What a method declares. */
export interface MethodDefinition<K extends OwnKeys = OwnKeys> {
  readonly keys: K;
  /** Builds the method. @throws ZodError if keys are missing, which the recipe's check prevents */
  make(recipe: CommonRecipe, pair: Pair): Method;
  /** The required shape of the discriminator's output for one image; any by default. */
  outputShape?(recipe: CommonRecipe): readonly number[];
  /** The required shape of its input, if it is not the whole image. */
  inputShape?(recipe: CommonRecipe): readonly number[];
  /** The network that the method feeds the noise of dropout, if any. */
  readonly dropout?: keyof Pair;
}

/**
 * Defines a method: its own keys of a recipe, declared beside the code that uses them, and the code.
 * The schema of recipes is composed of these declarations.
 */
export function defineMethod<T extends z.ZodRawShape, M extends z.ZodRawShape>(definition: {
  readonly keys: { readonly training: T; readonly model: M };
  make(recipe: RecipeWith<{ training: T; model: M }>, pair: Pair): Method;
  outputShape?(recipe: RecipeWith<{ training: T; model: M }>): readonly number[];
  inputShape?(recipe: RecipeWith<{ training: T; model: M }>): readonly number[];
  readonly dropout?: keyof Pair;
}): MethodDefinition<{ readonly training: T; readonly model: M }> {
  const { keys, make, outputShape, inputShape, dropout } = definition;
  const training = z.object(keys.training);
  const model = z.object(keys.model);
  const own = (recipe: CommonRecipe): RecipeWith<{ training: T; model: M }> => ({
    ...recipe,
    training: { ...recipe.training, ...training.parse(recipe.training) },
    model: { ...recipe.model, ...model.parse(recipe.model) },
  });
  return {
    keys,
    make: (recipe, pair) => make(own(recipe), pair),
    ...(outputShape && { outputShape: (recipe) => outputShape(own(recipe)) }),
    ...(inputShape && { inputShape: (recipe) => inputShape(own(recipe)) }),
    ...(dropout && { dropout }),
  };
}
