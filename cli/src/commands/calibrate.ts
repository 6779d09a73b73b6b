import {
  type Calibration,
  Discriminator,
  readModelInfo,
  readSource,
  UserError,
  withModelInfo,
} from '@gpn/runtime';
import { calibrate } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { normalPictures } from '../evaluation/normal.js';
import { checkWritable, kindOf } from '../files.js';
import type { CALIBRATE } from '../options/calibrate.js';
import type { OptionsOf } from '../options/spec.js';
import { print } from '../terminal/print.js';
import { statusLine } from '../terminal/status.js';

export async function run(model: string, options: OptionsOf<typeof CALIBRATE>): Promise<void> {
  const { data, count, device, json, output = model } = options;
  if (options.output === undefined && (await kindOf(model)) !== 'file') {
    throw new UserError(`${model} is not a file that can be changed: give -o FILE.onnx.`);
  }
  await checkWritable(output, 'file', '--output');
  const calibration = await calibrateFile(model, output, data, { count, device });
  if (json) print(`${JSON.stringify({ output, ...summaryOf(calibration) }, null, 2)}\n`);
  else print(sentencesOf(output, calibration));
}

/**
 * Calibrates a model file with normal pictures, and writes it with the calibration in its metadata. Its
 * network stays as it is.
 */
export async function calibrateFile(
  model: string,
  output: string,
  data: string,
  { count, device }: { count?: number | undefined; device: OptionsOf<typeof CALIBRATE>['device'] },
): Promise<Calibration> {
  const { bytes, label } = await readSource(model);
  const info = readModelInfo(bytes, label);
  const discriminator = await Discriminator.load(bytes, { device });
  const line = statusLine(process.stderr);
  try {
    const calibration = await calibrate(
      discriminator,
      await normalPictures(data, count),
      (done, total) => line.show(`${done} of ${total} pictures`),
    );
    await writeFileAtomic(output, withModelInfo(bytes, { ...info, calibration }));
    return calibration;
  } finally {
    line.clear();
    await discriminator.dispose();
  }
}

const summaryOf = ({ data, parts, worst }: Calibration) => ({
  data,
  ...(worst && { fragments: parts.count }),
  least_p: 1 / (data.pictures + 1),
});

/** What was done, for a person. */
export function sentencesOf(output: string, { data, parts, worst }: Calibration): string {
  const { pictures } = data;
  const scored = worst
    ? `${parts.count.toLocaleString('en')} fragments of ${pictures.toLocaleString('en')} normal pictures`
    : `${pictures.toLocaleString('en')} normal pictures`;
  return [
    `Wrote ${output}, calibrated with ${scored} (${data.name}).`,
    `The smallest p-value of a picture is 1/${pictures + 1}: --threshold can be ${(1 / (pictures + 1)).toPrecision(2)} or more.\n`,
  ].join('\n');
}
