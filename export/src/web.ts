/** The exporter in a page: models come from files that someone has chosen or dropped. */
import { type ConvertedModel, type ConvertOptions, convertFiles } from './convert/convert.js';
import { loadModel } from './convert/load.js';
import type { ModelInput } from './convert/loaded.js';
import type { OwnLayers, TensorFlowJs } from './convert/own-layers.js';
import { type PickedFile, readPicked } from './convert/source/picked.js';

/**
 * Converts a TF.js model from files that someone has chosen.
 *
 * @param files the model.json and its weight files, in any order, such as an input's `files`
 * @throws ExportError, one sentence, if a file is missing or damaged, if sizes are missing, or if the
 *   model does something that has no ONNX form; it names that
 */
export const convertModel = async (
  files: Iterable<PickedFile>,
  options: ConvertOptions = {},
): Promise<ConvertedModel> => convertFiles(await readPicked(files), options);

/** What a model takes and gives, as it says itself. */
export interface ModelDescription {
  readonly name: string;
  readonly kind: 'layers' | 'graph';
  /** Sizes that the model leaves open are null; a shape is undefined where not even the rank is known. */
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly string[];
}

/** Reads a model without converting it. @throws ExportError as `convertModel` does */
export async function describeModel(files: Iterable<PickedFile>): Promise<ModelDescription> {
  const { name, kind, inputs, outputs, dispose } = await loadModel(await readPicked(files));
  dispose();
  return { name, kind, inputs, outputs };
}

export { type InputShapes, parseInputShape } from './convert/input-shapes.js';
export { type ModelVerification, type Runner, verifyModel } from './convert/verify.js';
export { ExportError } from './error.js';
export { inspectModel, type ModelSummary, type TensorInfo } from './graph/inspect.js';
export type { ConvertedModel, ConvertOptions, ModelInput, OwnLayers, PickedFile, TensorFlowJs };
