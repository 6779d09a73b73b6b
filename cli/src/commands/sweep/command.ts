/** Runs `gpn-cli` in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end. It ends with this process, even if that is killed.
 *
 * @param signal interrupts the command as Ctrl-C does
 * @param say gets the lines that it prints of its progress
 */
export async function command(
  args: readonly string[],
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Ended> {
  // In a group of its own: Ctrl-C reaches the sweep, which passes it on, once.
  const child = fork(CHILD, [...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const interrupt = () => child.kill('SIGINT');
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  child.stderr?.on('data', (bytes: Buffer) => {
    const line = bytes
      .toString()
      .trim()
      .split(/[\r\n]+/)
      .at(-1);
    if (line) say(line);
  });
  const read = async (stream: NodeJS.ReadableStream | null) => (stream ? text(stream) : '');
  try {
    const [[code, killedBy], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
      read(child.stdout),
      read(child.stderr),
    ]);
    return { code, killedBy, stdout, stderr };
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
