/** Runs the built command as a user would, in a folder of its own. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './imports.js';

export const bin = join(root, 'cli/bin/gpn-cli.js');

export const scratchFolder = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'gpn-cli-')));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function gpn(folder: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** Every path under a folder. */
export const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

/** Waits until a condition holds. @throws Error if the process ends before that */
export async function until(child: ChildProcess, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the process ended with ${child.exitCode ?? child.signalCode} before that`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
