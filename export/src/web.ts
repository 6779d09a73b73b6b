/** The exporter in a page: models come from files that someone has chosen or dropped. */
import { type ConvertedModel, type ConvertOptions, convertFiles } from './convert/convert.js';
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

export { type InputShapes, parseInputShape } from './convert/input-shapes.js';
export { type ModelVerification, type Runner, verifyModel } from './convert/verify.js';
export { ExportError } from './error.js';
export { inspectModel, type ModelSummary, type TensorInfo } from './graph/inspect.js';
export type { ConvertedModel, ConvertOptions, PickedFile };
