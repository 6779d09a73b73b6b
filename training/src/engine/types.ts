/** The interface of an engine, which runs training steps. */
import type { OpenOptions, TensorData } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by path: `generator/params/deconv1/kernel`. */
export type State = Readonly<Record<string, TensorData>>;

/** The input specs of a step: its state, and the groups that are fed at every call. */
export interface StepInputs {
  readonly state: object;
  readonly [group: string]: object;
}

/** The outputs of a step: the next state, and scalar metrics by name. */
export interface StepOutputs {
  readonly state: object;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** A training step that is ready to run and keeps its state between calls. */
export interface CompiledStep {
  readonly device: string;
  /** Why this device was chosen. */
  readonly reason: string;
  /** What determines the rounding of sums: the device and, on cpu, its number of threads. */
  readonly rounding: string;
  /** Runs one step. Feeds are named by path: `batch/images`. @returns the metrics by name */
  run(feeds: State): Promise<Record<string, number>>;
  /**
   * Runs several steps, one after the other. The grouping does not change a byte of the result. One
   * call is faster than many, because the state is copied between calls; for two million parameters
   * the copy takes as long as half a step.
   * @param feeds of each step
   * @returns the metrics of each
   */
  runAll(feeds: readonly State[]): Promise<Record<string, number>[]>;
  /** The current state; its arrays must not be modified. */
  state(): State;
  /** Replaces the state, for example by that of a checkpoint. */
  load(state: State): void;
  /** Frees the step's resources. */
  dispose(): Promise<void>;
}

/** How to compile a step. */
export interface CompileOptions extends OpenOptions {
  /** Name of the graph. */
  readonly name?: string;
  /** Floating-point operations of a step; `threads`, if not given, is chosen by them. */
  readonly flops?: number;
}
