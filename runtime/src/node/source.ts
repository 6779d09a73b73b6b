import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { findPretrained, pretrainedModels } from '@gpn/models/pretrained';
import { reasonOf, UserError } from '../errors.js';
import { download, readBytes } from '../model/download.js';
import type { LoadOptions, SourceBytes } from '../model/load.js';

/** Where a model is: a path, a `file:` or `https:` URL, the bytes of an .onnx file, or the name of a bundled model. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;

/**
 * The bytes of a model. A name that is not a file in the current folder is looked up among the
 * bundled models, with or without `.onnx`; a folder of that name does not count.
 *
 * @throws UserError if there is no such model or it cannot be read; the signal's reason if it stops
 */
export async function readSource(source: Source, options: LoadOptions = {}): Promise<SourceBytes> {
  if (typeof source !== 'string' && !(source instanceof URL)) return readBytes(source);
  if (/^https?:/.test(String(source))) return download(new URL(source), options);
  const path = source instanceof URL ? fileURLToPath(source) : source;
  let bundled: ReturnType<typeof findPretrained>;
  try {
    return { bytes: await readFile(path), label: path };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder is no model: results are kept in one that is called like the bundled model.
    const mayBeName = code === 'ENOENT' || code === 'EISDIR';
    bundled = mayBeName && !/[/\\]/.test(path) ? findPretrained(path) : undefined;
    if (bundled === undefined)
      throw code === 'ENOENT' ? notFound(path) : unreadable(path, code, error);
  }
  return { bytes: await readFile(bundled.path), label: bundled.file };
}

const unreadable = (path: string, code: string | undefined, error: unknown): UserError =>
  code === 'EISDIR'
    ? new UserError(`${path} is a folder, not an .onnx file.`)
    : new UserError(`${path} cannot be read: ${reasonOf(error)}.`);

function notFound(path: string): UserError {
  const names = pretrainedModels().map(({ name }) => name);
  const bundled =
    names.length > 0 ? `the bundled models are ${names.join(', ')}` : 'none is bundled';
  return new UserError(`There is no file ${path}, and no bundled model of that name: ${bundled}.`);
}
