import type { Command } from 'commander';
import { examples } from '../options.js';

const DEVICES = ['cpu', 'webgpu', 'cuda'] as const;

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check that this machine’s devices compute what the exporting machine did')
    .argument('<file|name>', 'an ONNX file, or the name of a bundled model')
    .option('--json', 'print the differences as JSON')
    .addHelpText('after', examples('verify dcgan-mnist.onnx', 'verify generator.onnx --json'))
    .action(verify);
}

interface Row {
  device: string;
  /** Undefined where the device cannot be used, for this reason. */
  ok?: boolean;
  difference?: number;
  tolerance?: number;
  reason?: string;
}

async function verify(model: string, { json }: { json?: boolean }): Promise<void> {
  const { loadModel, readModelInfo, readSource, UserError } = await import('@gpn/runtime');
  const { bytes, label } = await readSource(model);
  const info = readModelInfo(bytes, label);
  if (info.certificate === undefined) {
    throw new UserError(`${label} carries no certificate to check: export it again.`);
  }
  const rows: Row[] = [];
  for (const device of DEVICES) {
    try {
      const network = await loadModel(bytes, { device });
      const { ok, difference, tolerance } = await network.verify();
      await network.dispose();
      rows.push({ device, ok, difference, tolerance });
    } catch (error) {
      // On the CPU nothing but the model itself can be at fault.
      if (!(error instanceof UserError) || device === 'cpu') throw error;
      rows.push({ device, reason: error.message });
    }
  }
  process.stdout.write(
    json
      ? `${JSON.stringify({ model: label, certificate: { seed: info.certificate.seed, count: info.certificate.count }, devices: rows }, null, 2)}\n`
      : rows.map(line).join(''),
  );
  const wrong = rows.filter(({ ok }) => ok === false).map(({ device }) => device);
  if (wrong.length > 0) {
    throw new UserError(
      `${label} does not compute on ${wrong.join(' and ')} what the exporting machine did.`,
    );
  }
}

const line = ({ device, ok, difference, tolerance, reason }: Row): string =>
  ok === undefined
    ? `${device.padEnd(8)}not checked: ${reason}\n`
    : `${device.padEnd(8)}${ok ? 'the same' : 'DIFFERENT'}: largest difference ${difference?.toExponential(1)}, allowed ${tolerance}\n`;
