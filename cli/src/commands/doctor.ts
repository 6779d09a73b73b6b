import type { Command } from 'commander';
import { examples } from '../options.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what this machine can do, and how to get what is missing')
    .option('--json', 'print all findings as JSON')
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action(doctor);
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const { UserError } = await import('@gpn/runtime');
  const { findings, describe } = await import('../doctor/index.js');
  const found = await findings();
  const broken = found.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const ok = broken.length === 0;
  process.stdout.write(
    json ? `${JSON.stringify({ ok, findings: found }, null, 2)}\n` : describe(found),
  );
  if (!ok) {
    throw new UserError(`Training or sampling does not work here: see ${broken.join(', ')} above.`);
  }
  if (!json) process.stdout.write('\nTraining and sampling work on this machine.\n');
}
