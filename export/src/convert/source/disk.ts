/** TF.js models in files of this machine. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExportError } from '../../error.js';
import { reasonOf } from '../../reason.js';
import { type ConvertedModel, type ConvertOptions, convertFiles } from '../convert.js';
import { type ModelSource, namesOf, readFrom, type WeightFile } from './files.js';
import { INSIDE, isForeign, refuseForeign } from './foreign.js';

/**
 * Converts a TF.js model, a layers model or a graph model, to ONNX. TF.js itself runs the model,
 * and the tracer records what it does.
 *
 * @param path a model.json with its weight files beside it, or the folder of one; a `file:` URL, too
 * @throws ExportError, one sentence, if the files are damaged, if sizes are missing, or if the model
 *   does something that has no ONNX form; it names that
 */
export const convertModel = async (
  path: string,
  options: ConvertOptions = {},
): Promise<ConvertedModel> =>
  convertFiles(await readFrom(fromDisk(await modelFile(path))), options);

/**
 * Whether a path is meant as a TF.js model: a .json file, a folder with a model.json, or what people
 * take for one.
 */
export async function namesModel(path: string): Promise<boolean> {
  if (/\.json$/i.test(path) || SCHEME.test(path) || isForeign(path)) return true;
  const inside = ['model.json', ...INSIDE].map((name) => isFile(join(path, name)));
  return (await Promise.all(inside)).includes(true);
}

/** How a URL begins; a single letter is a drive. */
const SCHEME = /^[a-z][a-z\d+.-]+:\/\//i;

/** The model.json that a path stands for. */
async function modelFile(given: string): Promise<string> {
  const path = pathOf(given);
  if (!(await isFolder(path))) {
    refuseForeign(path);
    return path;
  }
  const file = join(path, 'model.json');
  if (await isFile(file)) return file;
  const names: string[] = await readdir(path).catch(() => []);
  for (const name of INSIDE) if (names.includes(name)) refuseForeign(join(path, name));
  const found = names.filter((name) => /\.json$/i.test(name)).sort();
  throw new ExportError(
    `The folder ${path} has no model.json: ${
      found.length > 0
        ? `give one of its .json files, ${found.slice(0, 5).join(', ')}${found.length > 5 ? ' …' : ''}`
        : 'give the one that holds what TF.js saved, or the model.json itself'
    }.`,
  );
}

/** @throws ExportError if it is the address of something that is not on this machine */
function pathOf(given: string): string {
  if (given === '-') {
    throw new ExportError(
      'A model cannot be read from the standard input, because its weights are in files beside it: give the path of its model.json.',
    );
  }
  if (!SCHEME.test(given)) return given;
  try {
    if (/^file:/i.test(given)) return fileURLToPath(given);
  } catch (error) {
    throw new ExportError(`${given} is no path of this machine: ${reasonOf(error)}.`);
  }
  throw new ExportError(
    `${given} is an address: download the model.json and the weight files that it names into one folder, and give that.`,
  );
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  );

const fromDisk = (path: string): ModelSource => ({
  path,
  async read() {
    try {
      return await readFile(path);
    } catch (error) {
      throw new ExportError(`Cannot read ${path}: ${whyNot(error)}.`);
    }
  },
  async weights(name) {
    const paths = namesOf(name).map((each) => join(dirname(path), each));
    const there = await Promise.all(paths.map(exists));
    return onDisk(paths[there.indexOf(true)] ?? (paths.at(-1) as string));
  },
});

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function onDisk(path: string): Promise<WeightFile> {
  const refuse = (error: unknown, remedy = '') =>
    new ExportError(`Cannot read the weight file ${path}: ${whyNot(error)}${remedy}.`);
  const found = await stat(path).catch((error) => {
    throw refuse(error, '; it belongs beside the model.json');
  });
  return {
    path,
    size: found.size,
    readInto: (target) =>
      fill(path, target).catch((error) => {
        throw refuse(error);
      }),
  };
}

async function fill(path: string, target: Uint8Array): Promise<void> {
  const file = await open(path);
  try {
    for (let at = 0; at < target.length; ) {
      const { bytesRead } = await file.read(target, at, target.length - at, at);
      if (bytesRead === 0) throw new Error('it ends too early');
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

const whyNot = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return reasonOf(error);
};
