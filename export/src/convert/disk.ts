/** Reads TF.js models from disk: a model.json and the weight files it names. */
import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';

export type ModelKind = 'layers' | 'graph';

export interface ModelFiles {
  readonly path: string;
  readonly kind: ModelKind;
  readonly artifacts: tf.io.ModelArtifacts;
}

/**
 * @param path a model.json, or the folder that holds it
 * @throws ExportError if a file is missing, damaged, or not a TF.js model
 */
export async function readModel(path: string): Promise<ModelFiles> {
  const file = (await isFolder(path)) ? join(path, 'model.json') : path;
  const json = parse(file, await read(file));
  const kind = kindOf(file, json);
  const manifest = manifestOf(file, json);
  const specs = manifest.flatMap((group) => group.weights);
  const weights = await readWeights(file, manifest);
  // How it was trained plays no part, and may name losses that TF.js does not know.
  const { trainingConfig: _, ...model } = json;
  return { path: file, kind, artifacts: tf.io.getModelArtifactsForJSONSync(model, specs, weights) };
}

type Manifest = tf.io.WeightsManifestConfig;

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ExportError(`Cannot read ${path}: ${whyNot(error)}.`);
  }
}

const whyNot = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return reasonOf(error);
};

/** Longer than any pointer that Git LFS leaves in place of a large file. */
const POINTER = 1024;

/** @throws ExportError if a file is not there yet, but a pointer to it */
function refusePointer(path: string, bytes: Buffer): void {
  if (!bytes.subarray(0, 100).toString('latin1').startsWith('version https://git-lfs')) return;
  throw new ExportError(
    `${path} is a pointer of Git LFS in place of the file: run \`git lfs pull\`.`,
  );
}

function parse(path: string, bytes: Buffer): tf.io.ModelJSON {
  refusePointer(path, bytes);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, '')); // a byte order mark
  } catch (error) {
    throw new ExportError(
      `${path} is not valid JSON (${reasonOf(error)}): it is damaged, or not a TF.js model.`,
    );
  }
  const topology = (json as tf.io.ModelJSON | null)?.modelTopology;
  if (typeof topology !== 'object' || topology === null || Array.isArray(topology)) {
    throw new ExportError(
      `${path} is not a TF.js model: it has no "modelTopology"; give the model.json that TF.js's ` +
        'save() or tensorflowjs_converter wrote.',
    );
  }
  return json as tf.io.ModelJSON;
}

const FORMATS: Readonly<Record<string, ModelKind>> = {
  'layers-model': 'layers',
  'graph-model': 'graph',
};

/** Old files do not say their format, but a graph lists nodes and a layers model does not. */
function kindOf(path: string, { format, modelTopology }: tf.io.ModelJSON): ModelKind {
  if (format == null) return 'node' in modelTopology ? 'graph' : 'layers';
  const kind = FORMATS[format];
  if (kind) return kind;
  throw new ExportError(
    `${path} has the format "${format}", which is not known here: TF.js's are ` +
      `${Object.keys(FORMATS).join(' and ')}.`,
  );
}

function manifestOf(path: string, { weightsManifest }: tf.io.ModelJSON): Manifest {
  const isGroup = (group: unknown): boolean => {
    const { paths, weights } = (group ?? {}) as Partial<Manifest[number]>;
    return (
      Array.isArray(paths) &&
      paths.every((p) => typeof p === 'string') &&
      Array.isArray(weights) &&
      weights.every((w) => Array.isArray(w?.shape) && typeof w.dtype === 'string')
    );
  };
  if (Array.isArray(weightsManifest) && weightsManifest.every(isGroup)) return weightsManifest;
  throw new ExportError(
    `${path} does not say where its weights are: "weightsManifest" is missing or damaged.`,
  );
}

/** All groups' bytes in one buffer, as TF.js wants them. */
async function readWeights(path: string, manifest: Manifest): Promise<ArrayBuffer> {
  const groups = await Promise.all(
    manifest.map(async (group) => {
      const files = await Promise.all(group.paths.map((name) => weightFile(dirname(path), name)));
      const sizes = await Promise.all(files.map(sizeOfFile));
      checkSize(path, group, sizes);
      return files.map((file, i) => ({ file, size: sizes[i] as number }));
    }),
  );
  const shards = groups.flat();
  const all = new Uint8Array(shards.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { file, size } of shards) {
    await readInto(file, all.subarray(at, at + size));
    at += size;
  }
  return all.buffer;
}

/** Where a file of weights is: its name may be written as in a URL, or as it is. */
async function weightFile(folder: string, name: string): Promise<string> {
  const asWritten = join(folder, name);
  if (!name.includes('%') || (await exists(asWritten))) return asWritten;
  try {
    return join(folder, decodeURIComponent(name));
  } catch {
    return asWritten; // a percent sign that stands for itself
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function sizeOfFile(file: string): Promise<number> {
  try {
    const { size } = await stat(file);
    if (size < POINTER) refusePointer(file, await readFile(file));
    return size;
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(
      `Cannot read the weight file ${file}: ${whyNot(error)}; it belongs beside the model.json.`,
    );
  }
}

async function readInto(file: string, target: Uint8Array): Promise<void> {
  try {
    const handle = await open(file);
    try {
      for (let at = 0; at < target.length; ) {
        const { bytesRead } = await handle.read(target, at, target.length - at, at);
        if (bytesRead === 0) throw new Error('it ends too early');
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new ExportError(`Cannot read the weight file ${file}: ${whyNot(error)}.`);
  }
}

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
};

/** Only the sum of a group is written down: a weight may run from one file into the next. */
function checkSize(path: string, { paths, weights }: Manifest[number], sizes: number[]): void {
  const bytes = weights.map(
    ({ dtype, quantization, shape }) =>
      tf.util.sizeFromShape(shape) * (BYTES[quantization?.dtype ?? dtype] ?? Number.NaN),
  );
  const due = bytes.reduce((a, b) => a + b, 0);
  const found = sizes.reduce((a, b) => a + b, 0);
  // Strings have no fixed size.
  if (found === due || Number.isNaN(due)) return;
  // All files of a group but its last are equally long.
  const most = Math.max(...sizes);
  const short = sizes.findIndex((size, i) => size < most && i < sizes.length - 1);
  const suspect = paths[short < 0 ? paths.length - 1 : short];
  throw new ExportError(
    found < due
      ? `The weight file ${join(dirname(path), `${suspect}`)} is truncated: ${paths.join(', ')} ` +
          `should hold ${due} bytes and ${paths.length > 1 ? 'hold' : 'holds'} ${found}; download it again.`
      : `The weight files ${paths.join(', ')} beside ${path} hold ${found} bytes, and the model ` +
          `has ${due}: they belong to another model.`,
  );
}
