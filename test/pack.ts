/** Packs the workspaces as npm would publish them, and installs the tarballs into a fresh folder. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { manifest, type Package, packages, root } from './imports.js';

export interface Packed {
  name: Package;
  tarball: string;
  /** Paths inside the tarball. */
  files: string[];
  /** Where the tarball is unpacked: a folder of the consumer's `node_modules`. */
  installed: string;
}

/**
 * A folder as a user has it after `npm install` of the five packages. Each package finds there the
 * others, and of third-party packages only those that it declares, linked from the repository's
 * own `node_modules` so that no network is needed.
 */
export function installPacked(): { consumer: string; packed: Packed[] } {
  const consumer = realpathSync(mkdtempSync(join(tmpdir(), 'gpn-consumer-')));
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  const report = execFileSync(
    'npm',
    ['pack', '--json', '--pack-destination', consumer, ...packages.flatMap((name) => ['-w', name])],
    // npm speaks of the build on stdout as well, unless told to be silent.
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const entries: { name: string; filename: string; files: { path: string }[] }[] =
    JSON.parse(report);
  const packed = packages.map((name) => {
    const entry = entries.find((found) => found.name === manifest(name).name);
    if (!entry) throw new Error(`npm pack made no tarball of ${name}.`);
    const tarball = join(consumer, entry.filename);
    const installed = join(consumer, 'node_modules', entry.name);
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    linkThirdParties(name, installed);
    return { name, tarball, files: entry.files.map(({ path }) => path), installed };
  });
  return { consumer, packed };
}

function linkThirdParties(name: Package, installed: string): void {
  const ours = new Set(packages.map((other) => manifest(other).name));
  for (const dependency of Object.keys(manifest(name).dependencies ?? {})) {
    if (ours.has(dependency)) continue;
    const nested = join(root, name, 'node_modules', dependency);
    const link = join(installed, 'node_modules', dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(existsSync(nested) ? nested : join(root, 'node_modules', dependency), link);
  }
}

/** What a module prints to stdout when run by Node in `folder`. */
export const runModule = (folder: string, text: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: folder,
    encoding: 'utf8',
  });
