/** The options, events and results of a training. */
import type { OpenOptions, QualityInfo } from '@gpn/runtime';
import type { EngineName } from '../engine/choice.js';
import type { Role } from '../export/network.js';
import type { CollapseAction } from '../recipe/keys/output.js';
import type { Ranked } from '../tracking/sentinel.js';
import type { TrackerEvent } from '../tracking/tracker.js';

/** Options of `train`. */
export interface TrainOptions {
  /** The run's folder, which is created if it does not exist. */
  readonly out: string;
  /** `auto` by default: the fastest device that works. */
  readonly device?: OpenOptions['device'];
  /** The engine that runs the steps; `onnx` by default. */
  readonly engine?: EngineName;
  /** Threads of the device cpu; one per processor by default, or one in all if steps are very small. */
  readonly threads?: number;
  /** Continue from the folder's newest checkpoint, or start if there is none; false by default. */
  readonly resume?: boolean;
  /**
   * Multiplies the learning rates from the first step of this call on, for example after a divergence.
   * Checkpoints and exported networks record it, and a resumed run keeps it.
   */
  readonly learningRateScale?: number;
  /** If the networks learn one after the other: train only the discriminator, or continue from it. */
  readonly stage?: Role;
  /** Stops the training after the current engine call, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Called for every event. */
  readonly on?: (event: TrainEvent) => void;
}

/** The metrics of a step by name: the losses of the networks and others. */
export type Losses = Readonly<Record<string, number>>;

/** An event of a training. */
export type TrainEvent =
  /** Image files have been decoded. */
  | { type: 'data'; done: number; total: number }
  | {
      type: 'start';
      /** The name of the phase; each phase of a training has a start event. */
      phase: string;
      step: number;
      steps: number;
      epochs: number;
      images: number;
      device: string;
      reason: string;
      out: string;
    }
  | {
      type: 'step';
      step: number;
      steps: number;
      epoch: number;
      /** Over the last twenty calls of the engine, without the time of samples and checkpoints. */
      imagesPerSecond: number;
      losses: Losses;
    }
  | TrackerEvent
  | {
      type: 'collapse';
      step: number;
      signs: readonly string[];
      action: CollapseAction;
      /** The best evaluation so far, which a rollback goes back to. */
      best?: Ranked;
    }
  | { type: 'quality'; step: number; quality: QualityInfo[] }
  | { type: 'checkpoint'; path: string; step: number };

/** The result of a training. */
export interface TrainResult {
  /** `stage`: the requested stage is done and another one remains. */
  readonly type: 'done' | 'stage' | 'interrupted';
  readonly step: number;
  /** Steps of the whole training; where a stage was interrupted, up to the end of that stage. */
  readonly steps: number;
  /** Duration of this call, without loading and compiling. */
  readonly seconds: number;
  readonly out: string;
  /** The path of the newest checkpoint. */
  readonly checkpoint: string;
  /** Paths of the exported networks, after the last step; of the discriminator also after its stage. */
  readonly generator?: string;
  readonly discriminator?: string;
  /** The best checkpoint, if the recipe has evaluations. */
  readonly best?: Best;
}

/** The step and distance of the best checkpoint, and the paths of its exported networks. */
export interface Best extends Ranked {
  readonly generator: string;
  readonly discriminator: string;
}
