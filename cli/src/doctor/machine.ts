/** Facts about the machine that need no computation. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { arch, version as nodeVersion, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { processors } from '@gpn/runtime';
import { nearestExisting } from '../files.js';
import { apt, type Finding } from './finding.js';

const run = promisify(execFile);

/** The first line that a command prints, or undefined if it is not installed or fails. */
export async function firstLine(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, { timeout: 10_000 });
    return stdout.split('\n')[0]?.trim();
  } catch {
    return undefined;
  }
}

/** The path of a program, as the shell would find it. */
export const which = (...names: string[]): string | undefined =>
  names
    .flatMap((name) =>
      (process.env.PATH ?? '')
        .split(delimiter)
        .map((folder) => join(folder, platform === 'win32' ? `${name}.exe` : name)),
    )
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());

/** The version of a package that this command would load. The package is not loaded, which can take seconds. */
export function versionOf(name: string, from = fileURLToPath(import.meta.url)): string | undefined {
  const folder = dirname(from);
  const manifest = join(folder, 'node_modules', name, 'package.json');
  if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version;
  return folder === from ? undefined : versionOf(name, folder);
}

export function software(): Finding[] {
  // Dependencies are looked up from the packages that load them.
  const training = fileURLToPath(import.meta.resolve('@gpn/training'));
  const runtime = fileURLToPath(import.meta.resolve('@gpn/runtime'));
  const versions: [string, string | undefined][] = [
    ['node', nodeVersion.slice(1)],
    ['gpn-cli', ownVersion()],
    ...['models', 'export', 'runtime', 'training'].map((name): [string, string | undefined] => [
      `@gpn/${name}`,
      versionOf(`@gpn/${name}`),
    ]),
    ['onnxruntime-node', versionOf('onnxruntime-node', runtime)],
    ['onnxruntime-web', versionOf('onnxruntime-web', runtime)],
    ['@tensorflow/tfjs-core', versionOf('@tensorflow/tfjs-core', training)],
  ];
  return versions.map(([name, version]) => ({
    area: 'Software',
    name,
    ...(version
      ? { state: 'ok' as const, detail: version }
      : name === 'onnxruntime-node'
        ? { state: 'missing' as const, detail: 'not installed; see cpu' }
        : { state: 'failed' as const, detail: 'not installed', remedy: 'npm ci' }),
  }));
}

const ownVersion = (): string =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

const GIB = 2 ** 30;

export async function resources(runs = 'runs'): Promise<Finding[]> {
  const area = 'Machine';
  const folder = nearestExisting(resolve(runs));
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIB;
  return [
    {
      area,
      name: 'processor',
      state: 'ok',
      detail: `${cpus()[0]?.model.trim() || 'unknown model'}, ${platform}-${arch}`,
    },
    {
      area,
      name: 'threads',
      state: 'ok',
      detail: `${processors()} for this process; training uses all of them`,
    },
    { area, name: 'memory', state: 'ok', detail: `${(totalmem() / GIB).toFixed(1)} GiB` },
    {
      area,
      name: 'disk',
      // The run of a small network writes about 100 MB, mostly checkpoints.
      state: free < 1 ? 'note' : 'ok',
      detail: `${free.toFixed(1)} GiB free for ${runs}/, in ${folder}`,
      ...(free < 1 && { remedy: 'gpn-cli train … --out FOLDER, on a disk with more space' }),
    },
  ];
}

const BROWSERS = {
  Chromium: ['chromium', 'chromium-browser'],
  Chrome: ['google-chrome', 'google-chrome-stable', 'chrome'],
  Firefox: ['firefox', 'firefox-esr'],
};

const APPLICATIONS = {
  Chromium: '/Applications/Chromium.app/Contents/MacOS/Chromium',
  Chrome: '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  Firefox: '/Applications/Firefox.app/Contents/MacOS/firefox',
};

export async function browsers(): Promise<Finding[]> {
  const area = 'Browsers';
  const found: Finding[] = [];
  for (const name of Object.keys(BROWSERS) as (keyof typeof BROWSERS)[]) {
    const app = APPLICATIONS[name];
    const path = which(...BROWSERS[name]) ?? (existsSync(app) ? app : undefined);
    if (!path) continue;
    const version = await firstLine(path, '--version');
    found.push({ area, name, state: 'ok', detail: `${path}${version ? ` (${version})` : ''}` });
  }
  if (found.length > 0) return found;
  return [
    {
      area,
      name: 'Chromium',
      state: 'missing',
      detail: 'no browser found; models still run in Node, but tests in browsers are skipped',
      ...apt('chromium'),
    },
  ];
}

/** The names in a folder; none if there is no such folder. */
export const filesOf = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).sort() : [];
