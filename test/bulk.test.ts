/** Bulk work by the built command: killed and resumed, by parts, by Slurm, by a queue. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bin, gpn, scratchFolder, until } from './cli.js';
import { root } from './imports.js';

const folder = scratchFolder();
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scoring = (out: string, ...more: string[]): string[] => [
  ...['score', '--model', 'gpn-mnist-detector', '--manifest', 'list.txt', '--fragments'],
  ...['--shard-size', '3', '--jobs', '1', '--out', out, ...more],
];
const results = (out: string) => readFileSync(at(out, 'results.ndjson'), 'utf8');
const shardsIn = (out: string): string[] =>
  existsSync(at(out, 'shards'))
    ? readdirSync(at(out, 'shards')).filter((name) => /^\d+\.ndjson$/.test(name))
    : [];

beforeAll(() => {
  const drawn = gpn(
    folder,
    'sample',
    '--model',
    'gpn-mnist',
    '--count',
    '17',
    '--out',
    'pictures/',
  );
  expect(drawn.code, drawn.stderr).toBe(0);
  const names = readdirSync(at('pictures')).map((name) => `pictures/${name}`);
  writeFileSync(at('list.txt'), [...names, 'missing.png'].join('\r\n'));
  const whole = gpn(folder, ...scoring('whole'));
  expect(whole.code, whole.stderr).toBe(0);
  expect(whole.stdout).toContain('rows of 18 pictures in 6 shards; 1 could not be scored');
});

test('a run that is killed goes on to the same bytes, and leaves nothing else', async () => {
  const child = spawn(process.execPath, [bin, ...scoring('killed')], { cwd: folder });
  const ended = once(child, 'exit');
  await until(child, () => shardsIn('killed').length >= 2);
  child.kill('SIGKILL');
  await ended;
  const again = gpn(folder, ...scoring('killed'));
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr).toMatch(/[2-6] of 6 shards are done already/);
  expect(results('killed')).toBe(results('whole'));
  const names = (...path: string[]) => readdirSync(at(...path)).sort();
  expect(names('killed')).toEqual(names('whole'));
  expect(names('killed', 'shards')).toEqual(names('whole', 'shards'));
});

test('a shard that an earlier run left broken is named once the others are done', () => {
  const part = gpn(folder, ...scoring('broken', '--shard', '0/6'));
  expect(part.code, part.stderr).toBe(0);
  const shard = at('broken', 'shards', '000000.ndjson');
  writeFileSync(shard, readFileSync(shard).subarray(0, -5));
  const broken = gpn(folder, ...scoring('broken'));
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain('000000.ndjson is not whole: remove it');
  expect(readdirSync(at('broken', 'shards')).length).toBe(6);
  expect(readdirSync(at('broken'))).not.toContain('results.ndjson');
  rmSync(shard);
  const mended = gpn(folder, ...scoring('broken'));
  expect(mended.code, mended.stderr).toBe(0);
  expect(results('broken')).toBe(results('whole'));
});

test('parts in one folder are joined to the bytes of one run', () => {
  const part = gpn(folder, ...scoring('parts', '--shard', '1/2'));
  expect(part.code, part.stderr).toBe(0);
  expect(part.stderr).toContain('Part 1 of 2, by --shard: 3 of 6 shards.');
  const early = gpn(folder, 'merge', 'parts', '-o', 'parts');
  expect(early.code).toBe(2);
  expect(early.stderr).toContain('3 of 6 shards are missing: 000000, 000002, 000004');
  const other = spawnSync(process.execPath, [bin, ...scoring('parts', '--shard', '2')], {
    cwd: folder,
    env: { ...process.env, JOB_COMPLETION_INDEX: '0' },
  });
  expect(other.status).toBe(0);
  expect(gpn(folder, 'merge', 'parts', '-o', 'parts').code).toBe(0);
  expect(results('parts')).toBe(results('whole'));
});

test('what cannot work is refused in a sentence', () => {
  const refused: [args: string[], sentence: string][] = [
    [scoring('whole', '--stride', '2'), 'whole has the results of another --stride'],
    [['score', '--model', 'gpn-mnist-detector'], 'There is nothing to score'],
    [['score', '--model', 'gpn-mnist-detector', 'a.png', '--jobs', '2'], '--jobs is for bulk work'],
    [scoring('x').slice(0, -2), '--manifest needs --out'],
    [scoring('x', '--shard', '5/4'), 'It must be I/N with I from 0 to N − 1'],
    [scoring('x', '--queue', 'localhost'), 'must be an address such as redis://host:6379'],
    [scoring('x', '--queue', 'redis://127.0.0.1:9'), 'does not answer: connect ECONNREFUSED'],
    [['work', '--queue', 'redis://127.0.0.1:9'], 'does not answer: connect ECONNREFUSED'],
    [
      ['sample', '--model', 'dcgan-mnist', '--shard', '0/2', '--out', 'a.png', '--count', '9'],
      '--out a.png must be a folder in bulk',
    ],
    [['merge', 'pictures', '-o', 'x'], 'give the folders of gpn-cli sweep'],
  ];
  for (const [args, sentence] of refused) {
    const { code, stderr } = gpn(folder, ...args);
    expect(stderr).toContain(sentence);
    expect(code, stderr).toBe(2);
  }
  expect(existsSync(at('x'))).toBe(false);
});

const redis = spawnSync('redis-server', ['--version']).status === 0;

test.skipIf(!redis && process.env.GPN_REDIS !== 'required')(
  `killed workers, producers and servers of a queue lose nothing${redis ? '' : ' (skipped: there is no redis-server)'}`,
  () => {
    const script = join(root, 'test/kills/bulk.mjs');
    const args = ['--fragments', '2000', '--every', '1', '--kills', '4', '--shard-size', '4'];
    expect(execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' })).toContain(
      'the merged file has the bytes of an undisturbed run’s',
    );
  },
);

const slurm = spawnSync('scontrol', ['ping'], { encoding: 'utf8' });
const ready = slurm.status === 0 && slurm.stdout.includes('UP');

test.skipIf(!ready)(
  `Slurm runs the parts to the same bytes${ready ? '' : ' (skipped: scontrol ping finds no controller)'}`,
  () => {
    const { stdout } = gpn(folder, ...scoring('cluster', '--print', 'slurm', '--parts', '2'));
    const own = `exec ${process.execPath} ${bin} `;
    writeFileSync(at('job.sh'), stdout.replace('exec npx gpn-cli ', own));
    const job = spawnSync('sbatch', ['--wait', 'job.sh'], { cwd: folder, encoding: 'utf8' });
    expect(job.status, job.stderr).toBe(0);
    const merged = gpn(folder, 'merge', 'cluster', '-o', 'cluster');
    expect(merged.code, merged.stderr).toBe(0);
    expect(results('cluster')).toBe(results('whole'));
  },
);
