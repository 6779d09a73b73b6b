/** What an engine takes and gives: anything that can run a training step. */
import type { OpenOptions, TensorData } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by path: `generator/params/deconv1/kernel`. */
export type State = Readonly<Record<string, TensorData>>;

/** A step takes and gives its state; the other inputs are fed anew at every call. */
export interface StepInputs {
  readonly state: object;
  readonly [group: string]: object;
}
export interface StepOutputs {
  readonly state: object;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** A training step that is ready to run, with its state kept from call to call. */
export interface CompiledStep {
  readonly device: string;
  /** Why this device was taken. */
  readonly reason: string;
  /** What decides how sums are rounded: the device and, where it has them, its threads. */
  readonly rounding: string;
  /** One step. Feeds are named by their path: `batch/images`. @returns the metrics */
  run(feeds: State): Promise<Record<string, number>>;
  /**
   * Steps one after the other, with feeds for each; however they are grouped, they come to the same
   * bytes. Where it can be they are one call of the engine, which is quicker: between calls the state
   * is copied out, and for two million parameters that takes as long as half a step.
   * @returns the metrics of each
   */
  runAll(feeds: readonly State[]): Promise<Record<string, number>[]>;
  /** The state as it is; its arrays must not be changed. */
  state(): State;
  /** Puts a state in place, a checkpoint's for example. */
  load(state: State): void;
  dispose(): Promise<void>;
}

export interface CompileOptions extends OpenOptions {
  readonly name?: string;
  /** Floating-point operations of a step, by which its threads are chosen unless `threads` says. */
  readonly flops?: number;
}
