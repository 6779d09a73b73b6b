/** `export-web` killed at drawn moments while it replaces a site: the folder is one site or the other. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '@gpn/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generatorFile } from '../../runtime/test/tiny.js';
import { bin, gpn, listing, scratchFolder } from '../../test/cli.js';

/** More by hand: `GPN_KILLS=300 npx vitest run cli/test/export-web-killed.test.ts`. */
const KILLS = Number(process.env.GPN_KILLS ?? 16);
const folder = scratchFolder();
const site = join(folder, 'site');
const TITLES = ['First', 'Second'];
const args = (title: string) => ['export-web', 'tiny.onnx', '-o', 'site', '--title', title];

/** What is in the site, as one digest. */
function contents(): string {
  const hash = createHash('sha256');
  for (const path of listing(site)) {
    hash.update(`${path}\n`);
    if (statSync(join(site, path)).isFile()) hash.update(readFileSync(join(site, path)));
  }
  return hash.digest('hex');
}

/** What the command leaves beside and above its site if it is killed. */
const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('.'));

const isWriting = () => leftovers().some((name) => existsSync(join(folder, name, 'style.css')));

const whole: string[] = [];
let duration = 0;
beforeAll(() => {
  writeFileSync(join(folder, 'tiny.onnx'), generatorFile());
  for (const title of TITLES) {
    const start = performance.now();
    expect(gpn(folder, ...args(title))).toMatchObject({ code: 0 });
    duration = performance.now() - start;
    whole.push(contents());
  }
  expect(whole[0]).not.toBe(whole[1]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(`${KILLS} kills leave a whole site each, and the next command cleans up`, async () => {
  const draws = stream(20, 'kills').uniform(KILLS, 0, 1);
  let [cut, left] = [0, 0];
  for (const [k, draw] of draws.entries()) {
    const child = spawn(process.execPath, [bin, ...args(TITLES[k % 2] as string)], { cwd: folder });
    const end = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('exit', (_, signal) => resolve(signal)),
    );
    // Half of the moments are in the whole run, half after the first file was written.
    if (k % 2 === 0) await pause(draw * duration);
    else {
      while (!isWriting() && child.exitCode === null) await pause(1);
      await pause(0.05 * draw * duration);
    }
    child.kill('SIGKILL');
    if ((await end) === 'SIGKILL') cut++;
    left += leftovers().length;
    expect(whole).toContain(contents());
  }
  expect(cut).toBeGreaterThan(KILLS / 3);
  expect(left).toBeGreaterThan(0);
  expect(gpn(folder, ...args('First'))).toMatchObject({ code: 0 });
  expect(contents()).toBe(whole[0]);
  expect(leftovers()).toEqual([]);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
