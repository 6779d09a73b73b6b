import type { ModelInfo } from '@gpn/runtime';
import type { Command } from 'commander';
import { examples } from '../options.js';

export function addModels(program: Command): void {
  program
    .command('models')
    .description('list the bundled models')
    .option('--json', 'print what each says of itself as JSON')
    .addHelpText('after', examples('models', 'models --json'))
    .action(models);
}

async function models({ json }: { json?: boolean }): Promise<void> {
  const { pretrainedModels } = await import('@gpn/models/pretrained');
  const { readModelInfo, readSource } = await import('@gpn/runtime');
  const found = await Promise.all(
    pretrainedModels().map(async ({ name, path, bytes: size }) => {
      const { bytes } = await readSource(path);
      return { name, path, bytes: size, info: readModelInfo(bytes, name) };
    }),
  );
  if (json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const rows = found.map(({ name, bytes, info }) => [
    name,
    info.kind,
    `${info.image.height}×${info.image.width} ${info.image.color}`,
    `${(bytes / 1e6).toFixed(1)} MB`,
    takes(info),
  ]);
  process.stdout.write(rows.length > 0 ? table(rows) : 'No model is bundled.\n');
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

/** Rows with their columns in line. */
function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
