/** What requests ask of models, as it goes to a thread, and what comes back. */
import type { ModelInfo, Rectangle, TensorInfo } from '@gpn/runtime';
import type { Wanted } from './drawing.js';

/** Rows of an input of a network, float32 in row-major order. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** An output that is wanted, as JSON or as bytes. */
export interface Output {
  readonly name: string;
  readonly binary: boolean;
}

interface Jobs {
  /** A run of the network, as the Open Inference Protocol has it. */
  infer: { readonly inputs: readonly Input[]; readonly outputs: readonly Output[]; id?: string };
  /** A grid of images. */
  draw: Wanted;
  /** Scores of rectangles of a picture; of the whole picture if there are none. */
  score: {
    readonly picture: Uint8Array;
    readonly rectangles: readonly Rectangle[];
    readonly label?: string | undefined;
  };
  /** Scores all over a picture. */
  map: {
    readonly picture: Uint8Array;
    readonly form: 'png' | 'json';
    readonly label?: string | undefined;
    readonly stride?: number | undefined;
    readonly threshold?: number | undefined;
  };
}

export type Kind = keyof Jobs;

/** What is asked of a model. */
export type Job<K extends Kind = Kind> = { [E in K]: { readonly kind: E } & Jobs[E] }[K];

/** The body of a response. */
export interface Answer {
  readonly type: string;
  readonly body: Uint8Array;
  /** Of a body that begins with JSON: its length. */
  readonly json?: number;
}

/** What became of a job: an answer, or a sentence and whether the user can do something about it. */
export type Result =
  | { readonly answer: Answer }
  | { readonly message: string; readonly user: boolean };

/** What is known of a loaded model. */
export interface Facts {
  readonly name: string;
  /** SHA-256 of the file. */
  readonly hash: string;
  readonly info: ModelInfo;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly device: string;
  /** Whether a row of a batch comes to the same bits as alone, so that requests can share a run. */
  readonly batches: boolean;
}

/** A model file, and the name that requests use. */
export interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How threads run models. */
export interface Running {
  readonly device: 'auto' | 'cpu' | 'wasm' | 'webgpu' | 'cuda';
  readonly threads: number;
  /** The most rows of one run. */
  readonly batch: number;
  /** The most pixels of a picture. */
  readonly pixels: number;
}

/** Runs jobs, one batch at a time. */
export interface Worker {
  readonly models: readonly Facts[];
  /** @param jobs of one key (see `Task`), for the model of this name; one result for each */
  run(model: string, jobs: readonly Job[]): Promise<readonly Result[]>;
  /** Frees what it holds. */
  close(): Promise<void>;
}
