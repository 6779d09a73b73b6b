/** Packs the workspaces as npm would publish them, and installs the tarballs into a fresh folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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
 * Makes an empty folder what a user has after `npm install` of the five packages. Each package finds there the
 * others, and of third-party packages only those that it declares, linked from the repository's
 * own `node_modules` so that no network is needed.
 *
 * @param own third-party packages that the user's program depends on itself
 */
export function installPacked(consumer: string, own: string[]): Packed[] {
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  const report = execFileSync(
    'npm',
    [
      ...['pack', '--json', '--pack-destination', consumer],
      // `npm test` has built everything, and npm would report the build on stdout too.
      '--ignore-scripts',
      ...packages.flatMap((name) => ['-w', name]),
    ],
    { cwd: root, encoding: 'utf8', stdio: 'pipe' },
  );
  const entries: { name: string; filename: string; files: { path: string }[] }[] =
    JSON.parse(report);
  for (const dependency of own) link(join(root, 'node_modules', dependency), consumer, dependency);
  return packages.map((name) => {
    const entry = entries.find((found) => found.name === manifest(name).name);
    if (!entry) throw new Error(`npm pack made no tarball of ${name}.`);
    const tarball = join(consumer, entry.filename);
    const installed = join(consumer, 'node_modules', entry.name);
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    linkThirdParties(name, installed);
    return { name, tarball, files: entry.files.map(({ path }) => path), installed };
  });
}

function linkThirdParties(name: Package, installed: string): void {
  const ours = new Set(packages.map((other) => manifest(other).name));
  const { dependencies, optionalDependencies } = manifest(name);
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (ours.has(dependency)) continue;
    const nested = join(root, name, 'node_modules', dependency);
    const target = existsSync(nested) ? nested : join(root, 'node_modules', dependency);
    link(target, installed, dependency);
  }
}

/** Makes `folder` find the package `name` at `target`. */
function link(target: string, folder: string, name: string): void {
  const path = join(folder, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** What a module prints to stdout when run by Node in `folder`. */
export const runModule = (folder: string, text: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: folder,
    encoding: 'utf8',
  });
