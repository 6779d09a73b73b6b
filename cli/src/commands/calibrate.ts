import { type Calibration, UserError } from '@gpn/runtime';
import { calibrateFile, sentencesOf } from '../evaluation/calibrate-file.js';
import { normalPictures } from '../evaluation/normal.js';
import { checkWritable, kindOf } from '../files.js';
import type { CALIBRATE } from '../options/calibrate.js';
import type { OptionsOf } from '../options/declare/spec.js';
import { print } from '../terminal/print.js';

export async function run(model: string, options: OptionsOf<typeof CALIBRATE>): Promise<void> {
  const { data, count, device, json, output = model } = options;
  if (options.output === undefined && (await kindOf(model)) !== 'file') {
    throw new UserError(`${model} is not a file that can be changed: give -o FILE.onnx.`);
  }
  await checkWritable(output, 'file', '--output');
  const calibration = await calibrateFile(model, output, await normalPictures(data, count), {
    device,
  });
  if (json) print(`${JSON.stringify({ output, ...summaryOf(calibration) }, null, 2)}\n`);
  else print(sentencesOf(output, calibration));
}

const summaryOf = ({ data, parts, worst }: Calibration) => ({
  data,
  ...(worst && { fragments: parts.count }),
  least_p: 1 / (data.pictures + 1),
});
