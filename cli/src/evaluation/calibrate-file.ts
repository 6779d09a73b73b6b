import {
  type Calibration,
  Discriminator,
  type LoadOptions,
  readModelInfo,
  readSource,
  withModelInfo,
} from '@gpn/runtime';
import type { NormalPictures } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { statusLine } from '../terminal/status.js';

/**
 * Calibrates a model file with normal pictures, and writes it with the calibration in its metadata. Its
 * network stays as it is.
 */
export async function calibrateFile(
  model: string,
  output: string,
  normal: NormalPictures,
  { device }: { device: NonNullable<LoadOptions['device']> },
): Promise<Calibration> {
  const { bytes, label } = await readSource(model);
  const { calibrate } = await import('@gpn/training');
  const info = readModelInfo(bytes, label);
  const discriminator = await Discriminator.load(bytes, { device });
  const line = statusLine(process.stderr);
  try {
    const calibration = await calibrate(discriminator, normal, (done, total) =>
      line.show(`${done} of ${total} pictures`),
    );
    await writeFileAtomic(output, withModelInfo(bytes, { ...info, calibration }));
    return calibration;
  } finally {
    line.clear();
    await discriminator.dispose();
  }
}

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
