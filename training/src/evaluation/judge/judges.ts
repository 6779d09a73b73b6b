/** The bundled judges, pinned by their checksums, so that measured values stay comparable. */
import { readFile } from 'node:fs/promises';
import { findPretrained } from '@gpn/models/pretrained';
import { readSource, UserError } from '@gpn/runtime';
import { type Extractor, type ExtractorOptions, openExtractor } from './extractor.js';

/** The judges by data set, with the SHA-256 of the files in which they were published. */
export const JUDGES: Readonly<Record<string, { readonly name: string; readonly sha256: string }>> =
  {
    mnist: {
      name: 'judge-mnist',
      sha256: 'f118e230938e20eac70973d89748ad2dd5f1245855190a79b80aa080ea27f1fe',
    },
    fashion: {
      name: 'judge-fashion',
      sha256: '3215a72d530f12a6a68443f68c3c16a8da2b726774f88cca1f262aa5a323cfdc',
    },
  };

/** Whether a data set has a judge of its own. */
export const hasJudge = (data: string): boolean => Object.hasOwn(JUDGES, data);

/**
 * Opens the feature extractor for a data set: the given one, or the data set's own judge.
 *
 * @param data the name of the data set, or a folder
 * @param source an .onnx file or the name of a bundled model; the data set's judge by default
 * @throws UserError if there is no judge, or the installed one is not the pinned one
 */
export async function extractorFor(
  data: string,
  source: string | undefined,
  options: ExtractorOptions = {},
): Promise<Extractor> {
  if (source !== undefined) {
    const { bytes, label } = await readSource(source);
    return openExtractor(bytes, { ...options, label });
  }
  const judge = hasJudge(data) ? JUDGES[data] : undefined;
  const found = judge && findPretrained(judge.name);
  if (!judge || !found) {
    throw new UserError(
      `There is no judge for ${data}: give --features judge-mnist for digits and letters, judge-fashion for other grey images of 28 × 28, or an .onnx file of your own.`,
    );
  }
  const extractor = await openExtractor(await readFile(found.path), {
    ...options,
    label: found.file,
  });
  if (extractor.identity.sha256 === judge.sha256) return extractor;
  await extractor.dispose();
  throw new UserError(
    `${found.file} is not the judge that published values are measured with (its SHA-256 is ${extractor.identity.sha256}): install @gpn/models again, or give it by --features ${found.file}.`,
  );
}
