/** The pre-trained models in this package. This file does not load TensorFlow.js. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A bundled model file. */
export interface PretrainedModel {
  /** The file's name without `.onnx`. */
  name: string;
  /** The file's name with `.onnx`. */
  file: string;
  /** The file's absolute path. */
  path: string;
  /** The file's size in bytes. */
  bytes: number;
}

// Not `new URL('../pretrained/', import.meta.url)`: webpack would bundle the folder, and cannot.
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', 'pretrained');

/** All bundled models, or those in another folder, sorted by name. */
export function pretrainedModels(folder = FOLDER): PretrainedModel[] {
  return filesIn(folder)
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

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the folder does not exist before the first model is published
  }
}
