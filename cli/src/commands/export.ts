import { type Command, Option } from 'commander';
import { examples } from '../options.js';

interface Options {
  network: 'generator' | 'discriminator';
  output: string;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a trained network as an ONNX file')
    .argument(
      '<run|checkpoint>',
      'the folder of a training run (its last checkpoint), or a checkpoint',
    )
    .addOption(
      new Option('--network <network>', 'which network')
        .choices(['generator', 'discriminator'])
        .default('generator'),
    )
    .requiredOption('-o, --output <file>', 'the ONNX file to write')
    .addHelpText(
      'after',
      examples(
        'export runs/dcgan-mnist -o generator.onnx',
        'export runs/dcgan-mnist --network discriminator -o discriminator.onnx',
      ),
    )
    .action(exportNetwork);
}

async function exportNetwork(source: string, { network, output }: Options): Promise<void> {
  const { checkWritable } = await import('../files.js');
  await checkWritable(output, 'file', '--output');
  const { exportRun } = await import('@gpn/training');
  const { path } = await exportRun(source, { network, out: output });
  process.stdout.write(`Wrote the ${network} to ${path}\n`);
}
