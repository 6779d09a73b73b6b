import { UserError } from '@gpn/runtime';
import { describe, findings } from '../doctor/index.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { DOCTOR } from '../options/inspect.js';
import { print } from '../terminal/print.js';

export async function run({ json }: OptionsOf<typeof DOCTOR>): Promise<void> {
  const found = await findings();
  const broken = found.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const ok = broken.length === 0;
  print(json ? `${JSON.stringify({ ok, findings: found }, null, 2)}\n` : describe(found));
  if (!ok) {
    throw new UserError(`Training or sampling does not work here: see ${broken.join(', ')} above.`);
  }
  if (!json) print('\nTraining and sampling work on this machine.\n');
}
