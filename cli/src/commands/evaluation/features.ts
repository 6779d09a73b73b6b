import { writeFileAtomic } from '@gpn/training/atomic';
import { PINNED, pinnedFeatures } from '../../evaluation/pinned-features.js';
import { checkWritable } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { FEATURES } from '../../options/evaluation/features.js';
import { print, printAside } from '../../terminal/print.js';

export async function run({ output, package: archive }: OptionsOf<typeof FEATURES>): Promise<void> {
  await checkWritable(output, 'file', '--output');
  const source = `${PINNED.package}@${PINNED.version}`;
  if (!archive) printAside(`Fetching ${source}, 25 MB, by npm\n`);
  const { bytes, info, difference } = await pinnedFeatures(archive);
  await writeFileAtomic(output, bytes);
  print(
    [
      `Wrote ${info.name} to ${output} (${(bytes.length / 1e6).toFixed(1)} MB), whose hash is checked: ${source}.`,
      `Largest difference from TF.js: ${difference.toExponential(1)} of the largest value.`,
      `License: ${PINNED.license}`,
      `Measure with it: gpn-cli eval --model generator.onnx --data FOLDER --features ${output}\n`,
    ].join('\n'),
  );
}
