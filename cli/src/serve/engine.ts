/** The models of a server with the workers that run them: opened together, replaced together. */
import { UserError } from '@gpn/runtime';
import { Dispatcher, type Limits, type Watch } from './dispatch.js';
import type { Facts, Named, Running, Worker } from './jobs.js';

export interface Engine {
  readonly models: ReadonlyMap<string, Facts>;
  readonly dispatcher: Dispatcher;
  /** Ends the workers once everything that was submitted is done. */
  close(): Promise<void>;
}

/** Opens a worker with models, in a thread or where a test wants it. */
export type Open = (models: readonly Named[], running: Running) => Promise<Worker>;

/** @throws UserError if a model cannot be opened */
export async function openEngine(
  models: readonly Named[],
  open: Open,
  { workers, running, limits }: { workers: number; running: Running; limits: Limits },
  watch?: Watch,
): Promise<Engine> {
  // One after the other: the first finds out whether requests can share runs.
  const opened: Worker[] = [];
  try {
    for (let k = 0; k < workers; k++) opened.push(await open(models, running));
  } catch (error) {
    await Promise.all(opened.map((worker) => worker.close()));
    throw error;
  }
  const facts = (opened[0] as Worker).models;
  const dispatcher = new Dispatcher(opened, limits, watch);
  return {
    models: new Map(facts.map((each) => [each.name, each])),
    dispatcher,
    close: async () => {
      await dispatcher.drain();
      await Promise.all(opened.map((worker) => worker.close()));
    },
  };
}

/** Names of models in URLs. */
const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

/** What the command line calls a model, and where it is: `NAME=FILE`, a file or a bundled name. */
export function namedSource(text: string): { name: string; source: string } {
  const [, given, source = text] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  const name = given ?? (source.split(/[/\\]/).at(-1) as string).replace(/\.onnx$/i, '');
  if (NAME.test(name)) return { name, source };
  throw new UserError(
    `${text} cannot be the name of a model in a URL: write NAME=${source}, with letters, digits, dots and hyphens.`,
  );
}

/** @throws UserError if two models have the same name */
export function namedSources(texts: readonly string[]): { name: string; source: string }[] {
  const all = texts.map(namedSource);
  const twice = all.find(({ name }, k) => all.findIndex((each) => each.name === name) < k);
  if (twice === undefined) return all;
  throw new UserError(
    `Two models are called ${twice.name}: give one another name, NAME=${twice.source}.`,
  );
}
