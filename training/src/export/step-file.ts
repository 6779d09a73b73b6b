/**
 * A ready training step: an ONNX file that says all that a page needs to train by it. Nothing here knows
 * of Node or of TensorFlow.js.
 */
import type { TensorSpec } from '@gpn/models';
import { metadataOf, UserError } from '@gpn/runtime';
import type { Plan, Turn } from '../data/feeds/plans.js';
import type { Recipe } from '../recipe/schema.js';
import type { NetworkDraft, Provenance, Role } from './info.js';
import type { StatisticsPlan } from './measured.js';

/** The key of the metadata entry that describes a step. */
export const STEP_KEY = 'gpn-step';
/** A file of a later version is refused. */
export const STEP_VERSION = 1;

/** What an input of a step is. Their names begin with it: `state/…`, `batch/…`. */
export type StepRole = 'state' | 'batch' | 'noise' | 'rates';

/** An input of a step, as one step takes it; a call of several has one more axis in front. */
export interface StepInput {
  readonly name: string;
  readonly role: StepRole;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What the file of a step says about itself: the metadata entry `gpn-step`, as JSON. */
export interface StepInfo {
  readonly version: typeof STEP_VERSION;
  /** Its recipe, with all settings; of a folder of images only the name. */
  readonly recipe: Recipe;
  /** The hash of the settings that a checkpoint must share; see `settingsHash`. */
  readonly settings: string;
  /** What the exported networks say about the software and the recipe. */
  readonly provenance: Provenance;
  /** The input that says how many steps a call takes: an int64 scalar. */
  readonly times: string;
  /** The steps of the training. Most have one; a GPN has one for each network, by turns. */
  readonly phases: readonly StepPhase[];
  /** The turns of the phases in their order, by number; one of each unless there are rounds. */
  readonly turns: readonly (Turn & { readonly phase: number })[];
  /**
   * How the state starts, in the order in which it is drawn from the seed; nothing if a network of the
   * user's own draws it.
   */
  readonly start?: Readonly<Record<string, TensorSpec>>;
  /** What the networks say about themselves; their graphs are further entries of the metadata. */
  readonly networks: Readonly<Record<Role, NetworkDraft>>;
  /** How running statistics are measured, if averaged weights are exported that need them. */
  readonly statistics?: StatisticsPlan;
}

/** A step of a training. The first one's graph is the file's own. */
export interface StepPhase {
  readonly name: string;
  /** The initial learning rates; the recipe says how they change. */
  readonly rates: Readonly<Record<string, number>>;
  readonly inputs: readonly StepInput[];
  /** The names of the metrics, which leave as `metrics/…`; the state leaves as `next/…`. */
  readonly metrics: readonly string[];
  /** How the batch and the noise of each step are made. */
  readonly feeds: Plan;
  /** Steps of an epoch by which its length is reckoned, if not those of its data. */
  readonly epoch?: number;
}

/** A graph that lies in the file of a step beside the first step's own. */
export type StepGraph = Role | 'statistics' | `phase-${number}`;

/** Images that a step shows, of the phase that shows most. */
export const imagesOf = ({ phases }: Pick<StepInfo, 'phases'>): number =>
  Math.max(...phases.map(({ feeds }) => feeds.images));

/** The number of classes, if a step is fed labels. */
export const classesOf = ({ phases }: Pick<StepInfo, 'phases'>): number | undefined =>
  phases.map(({ feeds }) => ('classes' in feeds ? feeds.classes : undefined)).find(Boolean);

/** The key of the metadata entry with a graph: the bytes of its ONNX file, gzipped, in base64. */
export const graphKey = (graph: StepGraph): string => `${STEP_KEY}-${graph}`;

/** A graph of the file of a step. @throws UserError if it has none */
export async function stepGraph(
  bytes: Uint8Array,
  graph: StepGraph,
  label = 'The step',
): Promise<Uint8Array> {
  const text = metadataOf(bytes, label)[graphKey(graph)];
  try {
    const packed = Uint8Array.from(atob(text ?? '-'), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new UserError(
      `${label} has no graph of the ${graph}: make it again with gpn-cli export --training-step.`,
    );
  }
}

/**
 * What the file of a step says about itself.
 * @param label what to call the file in an error
 * @throws UserError if it is not an ONNX file, no training step, or one of a later version
 */
export function readStepInfo(bytes: Uint8Array, label = 'The step'): StepInfo {
  const json = metadataOf(bytes, label)[STEP_KEY];
  if (json === undefined) {
    throw new UserError(
      `${label} is not a training step (it has no metadata entry "${STEP_KEY}"): make one with gpn-cli export --training-step.`,
    );
  }
  const info = parsed(json) as Partial<StepInfo> | undefined;
  if (typeof info?.version === 'number' && info.version > STEP_VERSION) {
    throw new UserError(
      `${label} was written for a later version (steps ${info.version}, known ${STEP_VERSION}): update @gpn/training.`,
    );
  }
  const lacks = NEEDED.find((key) => info?.[key] === undefined);
  if (lacks !== undefined) {
    throw new UserError(`${label} is broken: its description of the step lacks "${lacks}".`);
  }
  return info as StepInfo;
}

const NEEDED = [
  ...['version', 'recipe', 'settings', 'provenance', 'times'],
  ...['phases', 'turns', 'networks'],
] as (keyof StepInfo)[];

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
