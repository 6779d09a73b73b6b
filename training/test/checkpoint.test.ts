import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { expect, it } from 'vitest';
import { readCheckpoint } from '../src/checkpoint/checkpoint.js';
import { encodeSafetensors } from '../src/files/safetensors.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();

/** What reading a file of tensors with this metadata says. */
async function refusal(metadata: Record<string, string>): Promise<string> {
  const path = join(folder, 'x.safetensors');
  await writeFile(path, encodeSafetensors(new Map(), metadata));
  const error = await readCheckpoint(path).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
}

it('loading refuses a checkpoint of another version, other tensors, and one without its progress', async () => {
  expect(await refusal({ format: 'gpn-checkpoint-1' })).toContain(
    'was written by another version of this software (as gpn-checkpoint-1, not gpn-checkpoint-2)',
  );
  expect(await refusal({ format: 'pt' })).toContain('is not a checkpoint of a training');
  expect(await refusal({ format: 'gpn-checkpoint-2' })).toContain(
    'its progress is missing or wrong',
  );
});
