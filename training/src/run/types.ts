/** What a training is asked for, tells as it goes, and gives in the end. */
import type { OpenOptions, QualityInfo } from '@gpn/runtime';
import type { EngineName } from '../engine/choice.js';
import type { Role } from '../export/network.js';
import type { CollapseAction } from '../recipe/keys/output.js';
import type { TrackerEvent } from '../tracking/tracker.js';

export interface TrainOptions {
  /** The run's folder; made if need be. */
  readonly out: string;
  readonly device?: OpenOptions['device'];
  /** What runs the steps; `onnx` unless given. */
  readonly engine?: EngineName;
  /** Of the device cpu; one for each processor unless given, and one for the smallest steps. */
  readonly threads?: number;
  /** Go on from the folder's newest checkpoint, or start if there is none. */
  readonly resume?: boolean;
  /** Of a method whose networks learn one after the other: train the first alone, or go on from it. */
  readonly stage?: Role;
  /** Ends the training after the step in progress, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly on?: (event: TrainEvent) => void;
}

/** What a step measured, by name: the networks' losses before all. */
export type Losses = Readonly<Record<string, number>>;

export type TrainEvent =
  | { type: 'data'; done: number; total: number }
  | {
      type: 'start';
      /** A training has one phase or more; each starts anew. */
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
      /** Over the last twenty calls of the engine; pictures and checkpoints between them do not count. */
      imagesPerSecond: number;
      losses: Losses;
    }
  | TrackerEvent
  | {
      type: 'collapse';
      step: number;
      signs: readonly string[];
      action: CollapseAction;
      /** Where a rollback goes. */
      best?: { step: number; frechet: number };
    }
  | { type: 'quality'; step: number; quality: QualityInfo[] }
  | { type: 'checkpoint'; path: string; step: number };

export interface TrainResult {
  /** `stage`: what the stage asked for is done, and there is more to do. */
  readonly type: 'done' | 'stage' | 'interrupted';
  readonly step: number;
  readonly steps: number;
  /** Of this call, training alone. */
  readonly seconds: number;
  readonly out: string;
  readonly checkpoint: string;
  /** Paths of the exported networks, once all steps are done; of the one that a stage trained. */
  readonly generator?: string;
  readonly discriminator?: string;
  /** Where evaluations found a best checkpoint: its step, and the networks as they were then. */
  readonly best?: Best;
}

export interface Best {
  readonly step: number;
  readonly frechet: number;
  readonly generator: string;
  readonly discriminator: string;
}
