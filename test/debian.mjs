/** Debian's packages, for the scripts that get what only some tests need. */
import { spawnSync } from 'node:child_process';

/** Whether a command succeeds; its output is not shown, its errors are unless told. */
export const succeeds = (command, args, errors = 'inherit') =>
  spawnSync(command, args, {
    stdio: ['ignore', 'ignore', errors],
    // In this run level Debian starts no service that it installs.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  }).status === 0;

const apt = (errors, ...args) => succeeds('apt-get', ['-qq', '-y', ...args], errors);

/** Whether the packages are there, or could be installed, which takes root. */
export function installed(...packages) {
  if (process.getuid?.() !== 0) return false;
  const install = ['install', '--no-install-recommends', ...packages];
  // The first try succeeds offline too if the packages are there.
  return apt('ignore', ...install) || (apt('inherit', 'update') && apt('inherit', ...install));
}
