/** Makes a runnable TF.js model of what was read from disk. */
import * as tf from '@tensorflow/tfjs-core';
import '../trace/cpu.js';
import '../trace/recurrent.js';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';
import type { Place } from '../trace/place.js';
import { loadGraph } from './graph/model.js';
import { loadLayers } from './layers/model.js';
import type { Cut, LoadedModel } from './loaded.js';
import { type OwnLayers, registerLayers, unknownClass } from './own-layers.js';
import type { ModelFiles, ModelKind } from './source/files.js';

/**
 * @throws ExportError if TF.js cannot make a model of the files, or has none of the names of the cut,
 *   or if own layers are given for a graph
 */
export async function loadModel(
  files: ModelFiles,
  cut: Cut = {},
  own?: OwnLayers,
): Promise<LoadedModel> {
  if (own && files.kind === 'graph') {
    throw new ExportError(`${files.path} is a graph, without layers: leave out --layers.`);
  }
  const previous = tf.engine().backendName;
  await tf.setBackend('cpu');
  try {
    if (own) await registerLayers(own);
    return await LOADERS[files.kind](files, cut);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(`TF.js cannot load ${files.path}: ${loadingReason(error)}.`, {
      cause: error,
    });
  } finally {
    if (previous) await tf.setBackend(previous);
  }
}

/** What TF.js's own code says when a part of the file is not what it takes for granted. */
const INNER =
  /Cannot (read|set|convert|use)|is not (a function|iterable|an? \w+ constructor)|\bundefined\b|Maximum call stack|Invalid (array|typed array) length|allocation failed/i;

/**
 * Why TF.js failed, as a part of a sentence. An error of the language says nothing about the file but
 * that it is damaged.
 */
export const loadingReason = (error: unknown): string => {
  const reason = reasonOf(error);
  return reason === '' || INNER.test(reason)
    ? 'a part of it is missing or damaged; save or download it again'
    : (unknownClass(reason) ?? reason);
};

const LOADERS: Readonly<Record<ModelKind, (files: ModelFiles, cut: Cut) => Promise<LoadedModel>>> =
  {
    layers: loadLayers,
    graph: loadGraph,
  };

/** Why operations are refused, where TF.js's own words would say less, and what to do. */
const REFUSED: readonly (readonly [ops: RegExp, reason: string])[] = [
  [
    /HashTable|LookupTable/,
    'it looks words or numbers up in a table, which no file here can hold: look them up before the model runs',
  ],
  [
    /^(String|StaticRegex|Regex|AsString|Decode|Encode)/,
    'it works on text or on files, which no graph here can hold: do that before the model runs',
  ],
  [
    /^(Random.*|TruncatedNormal|Multinomial)$/,
    'it draws random numbers: --random input makes them an input of the file, and --random operator leaves them to the engine that runs it',
  ],
];

/** Why a part of a model cannot be exported, as a part of a sentence. */
export const refusal = ({ kind }: Place, error: unknown): string =>
  REFUSED.find(([ops]) => ops.test(kind))?.[1] ?? loadingReason(error);
