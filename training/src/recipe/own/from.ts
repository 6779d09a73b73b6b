/** The trained network whose weights a recipe starts with. */
import { digest } from '@gpn/runtime/write';
import { pathOfModel, read, resolve } from '#host';

/** A model that is a file by its absolute path; a name stays. */
export const locateModel = (base: string, model: string): string =>
  /\.onnx$|[/\\]/i.test(model) ? resolve(base, model) : model;

/** The part of a recipe that says where its weights come from. */
interface From {
  readonly from?: string | undefined;
  /** SHA-256 of the network's file, in hex. */
  readonly from_sha256?: string | undefined;
}

/**
 * The whole path of the file, or its bundled name, and its SHA-256. If that is known the file is not read: a run
 * can go on without the file that it began with.
 * @param base the folder that a path is relative to
 * @throws UserError if it has to be read and cannot be
 */
export function origin({ from, from_sha256 }: From, base: string): From {
  if (from === undefined) return {};
  const source = locateModel(base, from);
  return { from: source, from_sha256: from_sha256 ?? digest(read(pathOfModel(source))) };
}
