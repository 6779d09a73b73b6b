/** What a way of training a pair of networks is to recipes, to the loop and to the export. */
import type { Tensors } from '@gpn/export';
import type { Pair } from '@gpn/models';
import type { QualityInfo, ScoreMeaning } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Dataset, Images } from '../data/types.js';
import type { State, StepInputs, StepOutputs } from '../engine/types.js';
import type { CommonRecipe } from '../recipe/keys/common.js';
import type { StateSpecs } from '../steps/state.js';

/** A part of a training with a step of its own. Most methods have one. */
export interface Phase {
  readonly name: string;
  /** Shapes and types of all that the step takes; `rates` are its learning rates. */
  readonly inputs: StepInputs;
  step(inputs: Tensors<StepInputs>): StepOutputs;
  /** Learning rates to begin with. A schedule lowers each by the metric of the same name. */
  readonly rates: Readonly<Record<string, number>>;
  /** Floating-point operations of a step, counted from the networks' tables. */
  readonly flops: number;
  /** How many steps it takes, if `stepsPerEpoch` steps show every image once. */
  steps(stepsPerEpoch: number): number;
  /** @throws UserError if the phase cannot use the data set */
  data(dataset: Dataset): PhaseData;
  /** How well it has done, once it is over, on images that it has not seen. */
  measure?(state: State, heldOut: Images): Promise<QualityInfo[]>;
}

export interface PhaseData {
  readonly stepsPerEpoch: number;
  /** The feeds of step k of the phase, from 0, without state and rates: a function of k alone. */
  feeds(k: number): State;
}

export interface Method {
  /** All that is learnt or remembered, of all phases. */
  readonly state: StateSpecs;
  readonly phases: readonly Phase[];
  readonly scores: ScoreMeaning;
  /** What the pixels 0 and 255 are to the networks, if the recipe cannot choose it. */
  readonly range?: readonly [number, number];
  /** The discriminator is exported in its dense form, which slides over images of any size. */
  readonly slides?: boolean;
  /**
   * The outputs of the exported discriminator, by name; `scores` first.
   * @param y the network's output for these images
   */
  outputs(images: Tensor, y: Tensor): Readonly<Record<string, Tensor>>;
}

/** The keys of a recipe that belong to a method; the method needs those that are not optional. */
export interface OwnKeys {
  /** Of the section `training`. */
  readonly training: z.ZodRawShape;
  /** Of the section `model`. */
  readonly model: z.ZodRawShape;
}

/** A recipe with the keys of one method, which are checked to be there. */
export type RecipeWith<K extends OwnKeys> = CommonRecipe & {
  readonly training: z.infer<z.ZodObject<K['training']>>;
  readonly model: z.infer<z.ZodObject<K['model']>>;
};

export interface MethodDefinition<K extends OwnKeys = OwnKeys> {
  readonly keys: K;
  /** @throws ZodError if the recipe lacks keys of the method, which its check refuses before */
  make(recipe: CommonRecipe, pair: Pair): Method;
  /** The shape of the discriminator's output for one image; any unless given. */
  outputShape?(recipe: CommonRecipe): readonly number[];
}

/**
 * A method: its own keys of a recipe, declared beside the code that uses them, and the code. The
 * recipe's schema is put together from these declarations.
 */
export function defineMethod<T extends z.ZodRawShape, M extends z.ZodRawShape>(definition: {
  readonly keys: { readonly training: T; readonly model: M };
  make(recipe: RecipeWith<{ training: T; model: M }>, pair: Pair): Method;
  outputShape?(recipe: RecipeWith<{ training: T; model: M }>): readonly number[];
}): MethodDefinition<{ readonly training: T; readonly model: M }> {
  const { keys, make, outputShape } = definition;
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
  };
}
