import { pretrainedModels } from '@gpn/models/pretrained';
import { type ModelInfo, readModelInfo, readSource } from '@gpn/runtime';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { MODELS } from '../../options/inspect.js';
import { print } from '../../terminal/print.js';
import { table } from '../../terminal/table.js';

export async function run({ json }: OptionsOf<typeof MODELS>): Promise<void> {
  const found = await Promise.all(
    pretrainedModels().map(async ({ name, path, bytes: size }) => {
      const { bytes } = await readSource(path);
      return { name, path, bytes: size, info: readModelInfo(bytes, name) };
    }),
  );
  if (json) {
    print(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const rows = found.map(({ name, bytes, info }) => [
    name,
    info.kind,
    `${info.image.height}×${info.image.width} ${info.image.color}`,
    `${(bytes / 1e6).toFixed(1)} MB`,
    takes(info),
  ]);
  print(rows.length > 0 ? table(rows) : 'No model is bundled.\n');
}

const takes = ({ latent, condition, codes, classifier }: ModelInfo): string =>
  [
    classifier && `judge of ${classifier.classes} classes, for gpn-cli eval`,
    latent && `${latent.size} ${latent.distribution} latents`,
    condition && `${condition.classes} classes`,
    codes && `${codes.size} codes`,
  ]
    .filter(Boolean)
    .join(', ');
