/** Runs the built command as a user would, in a folder of its own. */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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

/** Number of steps that a run has recorded. */
export function stepsOf(run: string): number {
  const path = join(run, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

/**
 * Stops a training by Ctrl-C after its second step.
 * @param child `train … --json`
 * @returns what it prints at its end
 * @throws Error if it does not end with the state saved
 */
export async function interrupted(
  child: ChildProcessWithoutNullStreams,
  run: string,
): Promise<{ step: number; checkpoint: string }> {
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  await until(child, () => stepsOf(run) >= 2);
  child.kill('SIGINT');
  const [[code], stdout, stderr] = await ended;
  if (code !== 0 || !stderr.includes('Saving a checkpoint before stopping'))
    throw new Error(`it ended with ${code}: ${stderr}`);
  const result = JSON.parse(stdout);
  if (result.type !== 'interrupted') throw new Error(`it was not interrupted: ${stdout}`);
  return result;
}
