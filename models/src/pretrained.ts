/** The pre-trained models that come with this package. Loads no TensorFlow.js. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PretrainedModel {
  /** The file's name without `.onnx`. */
  name: string;
  file: string;
  path: string;
  /** The file's size. */
  bytes: number;
}

const FOLDER = fileURLToPath(new URL('../pretrained/', import.meta.url));

/** All bundled models (or all in a folder of one's own), by name. */
export function pretrainedModels(folder = FOLDER): PretrainedModel[] {
  return list(folder)
    .filter((file) => file.endsWith('.onnx'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      return { name: file.slice(0, -'.onnx'.length), file, path, bytes: statSync(path).size };
    });
}

/** The bundled model of this name, with or without `.onnx`; undefined if there is none. */
export function findPretrained(name: string, folder = FOLDER): PretrainedModel | undefined {
  return pretrainedModels(folder).find((model) => model.name === name || model.file === name);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // before any model was trained
  }
}
