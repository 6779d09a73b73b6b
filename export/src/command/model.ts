/** What the commands that export a TF.js model do. */
import { resolve } from 'node:path';
import type { ConvertedModel } from '../convert/convert.js';
import { parseInputShape } from '../convert/input-shapes.js';
import { convertModel } from '../convert/source/disk.js';
import { type ModelVerification, type Runner, verifyModel } from '../convert/verify.js';
import { ExportError } from '../error.js';
import type { OptionsOf } from './declare.js';
import type { fileOptions, modelOptions } from './options.js';
import { readLayers } from './own-layers.js';

/** The options of `modelOptions` and `fileOptions` as a command receives them. */
export type ModelOptions = OptionsOf<{
  options: ReturnType<typeof modelOptions> & ReturnType<typeof fileOptions>;
}>;

/** A file that was opened by an engine, to compare it. */
export interface Engine {
  run(...inputs: Parameters<Runner>): ReturnType<Runner>;
  dispose(): Promise<void>;
}

/** What a command of export needs of its surroundings. */
export interface Surroundings {
  /** Opens a file by an ONNX engine; undefined if there is none. */
  open(bytes: Uint8Array): Promise<Engine | undefined>;
  /** What to say if there is no engine. */
  readonly withoutEngine: string;
  /** Writes a file, whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/**
 * Exports a TF.js model, compares it with the original unless told otherwise, and writes the file.
 *
 * @param source a model.json, or the folder of one
 * @returns what to print
 * @throws ExportError if the model cannot be exported, or the file differs from it
 */
export async function exportModel(
  source: string,
  output: string,
  options: ModelOptions,
  { open, withoutEngine, write }: Surroundings,
): Promise<string> {
  if (resolve(output) === resolve(source)) {
    throw new ExportError(`${output} (--output) is the model itself: name another file.`);
  }
  const { float16 = false, opset, outputs, fix = {}, random, verify, json } = options;
  const layers = options.layers === undefined ? undefined : await readLayers(options.layers);
  const inputShapes = Object.fromEntries((options.inputShape ?? []).map(parseInputShape));
  const convert = (draws: typeof random) =>
    convertModel(source, { inputShapes, outputs, fix, random: draws, layers, float16, opset });
  const converted = await convert(random);
  const bytes = converted.model.toBytes();
  const notes = [...converted.notes];
  let compared: ModelVerification | undefined;
  if (verify) {
    // What an engine draws cannot be compared; the rest can, with the draws as inputs.
    const original = random === 'operator' ? await convert('input') : converted;
    compared = await compare(original, open);
    if (!compared) notes.push(withoutEngine);
  }
  await write(output, bytes);
  if (json)
    return `${JSON.stringify(report(output, bytes, converted, notes, compared), null, 2)}\n`;
  const size = (bytes.length / 1e6).toFixed(1);
  const lines = [
    ...notes,
    ...(compared ? [sentence(compared)] : []),
    `Wrote the ${converted.kind} model to ${output} (${size} MB)`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** @throws ExportError if the results differ by more than the tolerance */
async function compare(
  converted: ConvertedModel,
  open: Surroundings['open'],
): Promise<ModelVerification | undefined> {
  const engine = await open(converted.model.toBytes());
  try {
    return engine && (await verifyModel(converted, (inputs) => engine.run(inputs)));
  } finally {
    await engine?.dispose();
  }
}

function sentence({ difference, output, batches, unrest }: ModelVerification): string {
  const at = batches.length > 0 ? ` at batches of ${batches.join(' and ')}` : '';
  return (
    `Largest difference from TF.js${at}: ${difference.toExponential(1)} of the largest value` +
    ` (output ${output})` +
    (unrest === undefined
      ? ''
      : `; changing the last bit of the inputs changes the result of TF.js by ${unrest.toExponential(1)}`)
  );
}

const report = (
  file: string,
  { length: bytes }: Uint8Array,
  { kind, inputs, outputs }: ConvertedModel,
  notes: readonly string[],
  comparison: ModelVerification | undefined,
) => ({
  file,
  bytes,
  kind,
  inputs: [...inputs].map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
  outputs,
  notes,
  comparison: comparison ?? null,
});
