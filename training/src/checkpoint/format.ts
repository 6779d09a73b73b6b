/** What a checkpoint's file holds. Node and pages share this; each brings its own SHA-256. */
import { UserError } from '@gpn/runtime';
import type { State } from '../engine/types.js';
import {
  encodeSafetensors,
  type SafetensorsFile,
  type StoredTensor,
} from '../files/safetensors.js';

const FORMAT = 'gpn-checkpoint-2';

/** The metadata of a checkpoint, as texts. */
export interface CheckpointTexts {
  /** JSON. */
  readonly progress: string;
  /** YAML, which JSON is as well. */
  readonly recipe: string;
  /** The hash of the settings that cannot change while a training goes on; see `settingsHash`. */
  readonly settings: string;
  /** JSON. */
  readonly log?: string;
}

/** The contents of a checkpoint, without its checksum. */
export const contentFor = (state: State, texts: CheckpointTexts): SafetensorsFile => ({
  tensors: new Map(
    Object.entries(state).map(([name, { shape, data }]): [string, StoredTensor] => [
      name,
      { dtype: 'F32', shape: [...shape], data: data as Float32Array<ArrayBuffer> },
    ]),
  ),
  metadata: { format: FORMAT, ...texts },
});

/** The bytes of a checkpoint. @param sha256 the checksum of its contents, see `contentOf` */
export const encodeContent = ({ tensors, metadata }: SafetensorsFile, sha256: string): Uint8Array =>
  encodeSafetensors(tensors, { ...metadata, sha256 });

/** @throws UserError if a file is not a checkpoint, or one of another version */
export function checkFormat({ format }: SafetensorsFile['metadata'], path: string): void {
  if (format === FORMAT) return;
  throw new UserError(
    format?.startsWith('gpn-checkpoint-')
      ? `${path} was written by another version of this software (as ${format}, not ${FORMAT}): use that version, or start a new training in another --out.`
      : `${path} is not a checkpoint of a training (its format is not ${FORMAT}).`,
  );
}

/** The state that a checkpoint keeps. @throws UserError if a tensor has another type than float32 */
export const stateIn = (tensors: SafetensorsFile['tensors'], path: string): State =>
  Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => {
      if (data instanceof Float32Array) return [name, { dtype: 'float32', shape, data }] as const;
      throw new UserError(`${path} is broken: ${name} is not float32.`);
    }),
  );
