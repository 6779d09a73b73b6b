/** Reads TF.js models: a model.json and the weight files that it names, wherever they lie. */
import * as tf from '@tensorflow/tfjs-core';
import { ExportError } from '../../error.js';
import { reasonOf } from '../../reason.js';

export type ModelKind = 'layers' | 'graph';

export interface ModelFiles {
  readonly path: string;
  readonly kind: ModelKind;
  readonly artifacts: tf.io.ModelArtifacts;
}

/** A file of weights that is there. */
export interface WeightFile {
  readonly path: string;
  readonly size: number;
  /** Fills the target with the first bytes of the file. @throws ExportError if it cannot be read */
  readInto(target: Uint8Array): Promise<void>;
}

/** Where a model's files lie. All of it throws an ExportError for what is missing. */
export interface ModelSource {
  /** What to call the model.json. */
  readonly path: string;
  /** The bytes of the model.json. */
  read(): Promise<Uint8Array>;
  /** @param name as the model.json has it */
  weights(name: string): Promise<WeightFile>;
}

/** @throws ExportError if a file is missing, damaged, or not a TF.js model */
export async function readFrom(source: ModelSource): Promise<ModelFiles> {
  const { path } = source;
  const json = parse(path, await source.read());
  const kind = kindOf(path, json);
  const manifest = manifestOf(path, json);
  const specs = manifest.flatMap((group) => group.weights);
  const weights = await readWeights(source, manifest);
  // How it was trained plays no part, and may name losses that TF.js does not know.
  const { trainingConfig: _, ...model } = json;
  return { path, kind, artifacts: tf.io.getModelArtifactsForJSONSync(model, specs, weights) };
}

type Manifest = tf.io.WeightsManifestConfig;

/** Longer than any pointer that Git LFS leaves in place of a large file. */
const POINTER = 1024;

/** @throws ExportError if a file is not there yet, but a pointer to it */
function refusePointer(path: string, bytes: Uint8Array): void {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 100));
  if (!start.startsWith('version https://git-lfs')) return;
  throw new ExportError(
    `${path} is a pointer of Git LFS in place of the file: run \`git lfs pull\`.`,
  );
}

function parse(path: string, bytes: Uint8Array): tf.io.ModelJSON {
  refusePointer(path, bytes);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes)); // which leaves out a byte order mark
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
async function readWeights(source: ModelSource, manifest: Manifest): Promise<ArrayBuffer> {
  const groups = await Promise.all(
    manifest.map(async (group) => {
      const files = await Promise.all(group.paths.map((name) => weightFile(source, name)));
      checkSize(source.path, group, files);
      return files;
    }),
  );
  const shards = groups.flat();
  const all = new Uint8Array(shards.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const file of shards) {
    await file.readInto(all.subarray(at, at + file.size));
    at += file.size;
  }
  return all.buffer;
}

async function weightFile(source: ModelSource, name: string): Promise<WeightFile> {
  const file = await source.weights(name);
  if (file.size < POINTER) {
    const bytes = new Uint8Array(file.size);
    await file.readInto(bytes);
    refusePointer(file.path, bytes);
  }
  return file;
}

/** The ways in which a file's name may be meant: as it is, or written as in a URL. */
export function namesOf(name: string): string[] {
  if (!name.includes('%')) return [name];
  try {
    return [name, decodeURIComponent(name)];
  } catch {
    return [name]; // a percent sign that stands for itself
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
function checkSize(
  path: string,
  { paths, weights }: Manifest[number],
  files: readonly WeightFile[],
): void {
  const bytes = weights.map(
    ({ dtype, quantization, shape }) =>
      tf.util.sizeFromShape(shape) * (BYTES[quantization?.dtype ?? dtype] ?? Number.NaN),
  );
  const due = bytes.reduce((a, b) => a + b, 0);
  const found = files.reduce((sum, { size }) => sum + size, 0);
  // Strings have no fixed size.
  if (found === due || Number.isNaN(due)) return;
  // All files of a group but its last are equally long.
  const most = Math.max(...files.map(({ size }) => size));
  const short = files.findIndex(({ size }, i) => size < most && i < files.length - 1);
  const suspect = files.at(short < 0 ? -1 : short);
  throw new ExportError(
    found < due
      ? `The weight file ${suspect?.path} is truncated: ${paths.join(', ')} ` +
          `should hold ${due} bytes and ${paths.length > 1 ? 'hold' : 'holds'} ${found}; download it again.`
      : `The weight files ${paths.join(', ')} beside ${path} hold ${found} bytes, and the model ` +
          `has ${due}: they belong to another model.`,
  );
}
