/**
 * `npm run bench:install`, after the build: packs @gpn/export, installs it into an empty folder as npm
 * does for a user, and prints what that takes; then once more beside @gpn/runtime, which compares.
 * Needs the npm registry for the packages of others; npm's cache is an empty one at the start.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const model = join(root, 'export/test/models/keras3-cnn');
const scratch = mkdtempSync(join(tmpdir(), 'gpn-install-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const run = (cwd, command, ...args) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const npm = (cwd, ...args) =>
  run(cwd, 'npm', ...args, '--cache', join(scratch, 'cache'), '--ignore-scripts', '--silent');

function pack(...names) {
  const workspaces = names.flatMap((name) => ['-w', name]);
  const report = npm(root, 'pack', '--json', '--pack-destination', scratch, ...workspaces);
  return JSON.parse(report).map(({ filename }) => join(scratch, filename));
}

function timed(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

const mebibytes = (folder) =>
  files(folder).reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  ) /
  2 ** 20;

function measure(label, tarballs) {
  const folder = mkdtempSync(join(scratch, 'user-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const seconds = timed(() => npm(folder, 'install', '--no-audit', '--no-fund', ...tarballs));
  const again = join(folder, 'again');
  mkdirSync(again);
  writeFileSync(join(again, 'package.json'), '{ "private": true }');
  const second = timed(() =>
    npm(again, 'install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs),
  );
  rmSync(again, { recursive: true });
  const bin = join(folder, 'node_modules/.bin/gpn-export');
  const help = median([1, 2, 3, 4, 5].map(() => timed(() => run(folder, bin, '--help'))));
  const exported = timed(() =>
    console.log(run(folder, bin, model, '-o', 'model.onnx').trimEnd().replaceAll(/^/gm, '    ')),
  );
  const packages = files(join(folder, 'node_modules')).filter(
    ({ name, parentPath }) =>
      name === 'package.json' && /node_modules\/(@[^/]+\/)?[^/]+$/.test(parentPath),
  ).length;
  console.log(
    `${label}: ${packages} packages, ${mebibytes(join(folder, 'node_modules')).toFixed(0)} MiB; ` +
      `install ${seconds.toFixed(1)} s, from npm's cache ${second.toFixed(1)} s; ` +
      `--help ${help.toFixed(2)} s, a small model ${exported.toFixed(1)} s\n`,
  );
}

measure('@gpn/export', pack('@gpn/export'));
if (!process.argv.includes('--alone')) {
  measure('with @gpn/runtime', pack('@gpn/export', '@gpn/runtime', '@gpn/models'));
}
