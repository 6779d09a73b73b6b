import { loadModel, readModelInfo, readSource, UserError } from '@gpn/runtime';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { VERIFY } from '../../options/inspect.js';
import { print } from '../../terminal/print.js';
import { table } from '../../terminal/table.js';

const DEVICES = ['cpu', 'wasm', 'webgpu', 'cuda'] as const;

interface Row {
  device: string;
  /** Undefined if the device cannot be used, for this reason. */
  ok?: boolean;
  difference?: number;
  tolerance?: number;
  reason?: string;
}

export async function run(model: string, { json }: OptionsOf<typeof VERIFY>): Promise<void> {
  const { bytes, label } = await readSource(model);
  const info = readModelInfo(bytes, label);
  if (info.certificate === undefined) {
    throw new UserError(`${label} contains no certificate to check: export it again.`);
  }
  const { seed, count } = info.certificate;
  const rows: Row[] = [];
  for (const device of DEVICES) {
    try {
      const network = await loadModel(bytes, { device });
      // Where there is no binary for the CPU, wasm takes its place, and has a row of its own.
      const taken = network.device === device;
      const { ok, difference, tolerance } = taken ? await network.verify() : {};
      await network.dispose();
      rows.push(taken ? { device, ok, difference, tolerance } : { device, reason: network.reason });
    } catch (error) {
      // On the CPU only the model itself can be at fault.
      if (!(error instanceof UserError) || device === 'cpu') throw error;
      rows.push({ device, reason: error.message });
    }
  }
  print(
    json
      ? `${JSON.stringify({ model: label, certificate: { seed, count }, devices: rows }, null, 2)}\n`
      : table(rows.map(line)),
  );
  const wrong = rows.filter(({ ok }) => ok === false).map(({ device }) => device);
  if (wrong.length > 0) {
    throw new UserError(
      `${label} computes other values on ${wrong.join(' and ')} than on the machine that exported it.`,
    );
  }
}

const line = ({ device, ok, difference, tolerance, reason }: Row): string[] => [
  device,
  ok === undefined
    ? `not checked: ${reason}`
    : `${ok ? 'the same' : 'DIFFERENT'}: largest difference ${difference?.toExponential(1)}, allowed ${tolerance}`,
];
