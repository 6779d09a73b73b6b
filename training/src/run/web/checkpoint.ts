/** Checkpoints in a page: the bytes that Node would write, and Node's. */
import { UserError } from '@gpn/runtime';
import type { Progress } from '../../checkpoint/checkpoint.js';
import { checkFormat, contentFor, encodeContent, stateIn } from '../../checkpoint/format.js';
import type { State } from '../../engine/types.js';
import type { StepInfo } from '../../export/step-file.js';
import { contentOf, decodeSafetensors } from '../../files/safetensors.js';
import { datasetOf, digestOf, type PageImages } from './data.js';

/** All that a page needs to go on. */
export interface PageCheckpoint {
  readonly state: State;
  readonly progress: Progress;
  /** As the checkpoint has it, so that it stays the same byte for byte. */
  readonly recipe: string;
}

const NAME = 'The checkpoint';

/** The bytes of a checkpoint, which `gpn-cli train --resume` continues from, too. */
export async function writeCheckpoint(
  { state, progress, recipe }: PageCheckpoint,
  { settings }: StepInfo,
): Promise<Uint8Array> {
  const content = contentFor(state, { progress: JSON.stringify(progress), recipe, settings });
  return encodeContent(content, await digestOf(contentOf(content)));
}

/**
 * Reads a checkpoint. Its checksum says that all of it is as it was written.
 * @throws UserError if it is damaged, or of a training with other settings than the step's
 */
export async function readCheckpoint(bytes: Uint8Array, info: StepInfo): Promise<PageCheckpoint> {
  const { tensors, metadata } = decodeSafetensors(bytes, NAME);
  checkFormat(metadata, NAME);
  const { sha256, ...rest } = metadata;
  const { progress, recipe, settings } = rest;
  if (!progress || !recipe || !settings || !sha256) {
    throw new UserError(
      `${NAME} was written by an earlier version of this software: let gpn-cli train continue it first.`,
    );
  }
  if ((await digestOf(contentOf({ tensors, metadata: rest }))) !== sha256) {
    throw new UserError(`${NAME} is damaged: its contents do not match its checksum.`);
  }
  if (settings !== info.settings) {
    throw new UserError(
      `${NAME} is of a training with other settings than the step: export the step of that run.`,
    );
  }
  return { state: stateIn(tensors, NAME), progress: JSON.parse(progress), recipe };
}

/** Whether a training of this step on these images can go on from a checkpoint. */
export async function fits(
  bytes: Uint8Array,
  images: PageImages,
  info: StepInfo,
): Promise<boolean> {
  const { hash } = await datasetOf(images, info);
  const read = await readCheckpoint(bytes, info).catch(() => undefined);
  return read?.progress.dataset.hash === hash;
}
