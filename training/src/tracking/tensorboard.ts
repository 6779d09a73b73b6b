/** Event files for TensorBoard: `tensorboard --logdir RUN` shows a run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { State } from '../engine/types.js';
import { openToAppend } from '../files/append.js';
import { ensureWritableFolder } from '../files/atomic.js';
import { mendEventFile } from './event-file.js';
import { type Event, encodeEvent, frame, type Shown } from './events.js';
import { histogramOf } from './histogram.js';

/** An open event file. */
export interface Board {
  /** Adds a point to each curve. The part of a name before the first slash is its group. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** Adds an image. */
  image(step: number, tag: string, png: Uint8Array): void;
  /** Adds a histogram of each weight tensor of a state. */
  weights(step: number, state: State): void;
  /** When this returns, a power cut loses nothing. */
  sync(): void;
  close(): void;
}

const NAME = /^events\.out\.tfevents\.(\d+)\.gpn\.(\d+)$/;

/**
 * Starts an event file in a folder. The file of a resumed run is put beside the earlier ones and tells
 * TensorBoard to discard what they contain for later steps, which are written again. A record that a
 * killed run did not finish is cut off.
 *
 * @param step that of the checkpoint; 0 for a new run
 * @param options `now`: milliseconds since 1970; `note`: called with a sentence if the earlier files do
 *   not reach the checkpoint
 * @throws UserError if a file cannot be read or written
 */
export async function openBoard(
  folder: string,
  step: number,
  { now = Date.now, note = () => {} }: { now?: () => number; note?: (text: string) => void } = {},
): Promise<Board> {
  await ensureWritableFolder(folder);
  const present = await readdir(folder);
  const earlier = present.filter((name) => NAME.test(name)).map((name) => join(folder, name));
  const reached = Math.max(0, ...earlier.map(mendEventFile));
  if (reached < step) {
    note(
      `${folder} has nothing of the steps ${reached + 1} to ${step}: its files were removed, or lost in a power cut.`,
    );
  }
  const file = openToAppend(join(folder, nextName(present, now())));
  const add = (step: number, what: Event['what']) =>
    file.append(frame(encodeEvent({ wallTime: now() / 1000, step, what })));
  const show = (step: number, entries: Iterable<readonly [string, Shown]>) => {
    const summary = new Map(entries);
    if (summary.size > 0) add(step, { summary });
  };
  add(step, { version: 'brain.Event:2' });
  if (step > 0) add(step + 1, { restart: true });
  return {
    scalars: (step, values) =>
      show(
        step,
        Object.entries(values).map(([tag, scalar]) => [tag, { scalar }]),
      ),
    image: (step, tag, png) => show(step, [[tag, { png }]]),
    weights: (step, state) =>
      show(
        step,
        Object.entries(state).flatMap(([name, { data }]) => {
          const histogram = /\/params\//.test(name) && histogramOf(data as Float32Array);
          return histogram ? [[name.replace('/params/', '/'), { histogram }] as const] : [];
        }),
      ),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** TensorBoard reads files in the order of their names, so a clock set back must not change it. */
function nextName(present: readonly string[], now: number): string {
  const times = present.map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  const seconds = Math.max(Math.floor(now / 1000), ...times);
  const number = String(present.filter((name) => NAME.test(name)).length).padStart(3, '0');
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.gpn.${number}`;
}
