/** `gpn-cli sweep` and `merge`: the built command, with trainings of seconds. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bin, gpn, scratchFolder, until } from './cli.js';
import { smallPictures } from './small-pictures.js';

const folder = scratchFolder();
const at = (...names: string[]) => join(folder, ...names);
const read = (...names: string[]) => readFileSync(at(...names), 'utf8');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SWEEP = `recipe: base.yml
runs:
  - name: plain
  - name: bad
    set: { training.los: hinge }
seeds: 2
steps: 9
evaluate: { samples: 8 }
`;

beforeAll(async () => {
  await smallPictures(folder);
  writeFileSync(at('sweep.yml'), SWEEP);
  const whole = gpn(folder, 'sweep', 'sweep.yml', '-o', 'whole');
  expect(whole.code, whole.stderr).toBe(1);
  expect(whole.stderr).toContain(
    'bad-seed0 failed: training.los is not a known key; did you mean loss?',
  );
  expect(whole.stderr).toContain('2 of 4 runs failed');
});

test('rows beside a bad one are trained and measured, with means and standard errors', () => {
  const { rows, means } = JSON.parse(read('whole/results.json'));
  expect(rows).toHaveLength(4);
  const values = [0, 1].map((k) => rows[k].scores.sliced as number);
  const [a = 0, b = 0] = values;
  expect(means[0].setting).toBe('plain');
  expect(means[0].scores.sliced.mean).toBeCloseTo((a + b) / 2, 9);
  // Of two values: half of their difference.
  expect(means[0].scores.sliced.error).toBeCloseTo(Math.abs(a - b) / 2, 9);
  expect(means[1]).toMatchObject({ setting: 'bad', seeds: 0, failed: 2 });
  expect(read('whole/results.md')).toMatch(/\| plain \| 2 \| [\d.]+ ± [\d.]+ \|/);
  expect(read('whole/results.svg')).toMatch(/^<svg/);
});

test('a sweep killed with its trainings goes on to the same bytes, and repeats nothing', async () => {
  const results = () => readdirSync(at('broken/results')).length;
  const moments = [
    () => existsSync(at('broken/runs/plain-seed0/metrics.jsonl')),
    () => existsSync(at('broken/results')) && results() > 0,
  ];
  for (const moment of moments) {
    const child = spawn(process.execPath, [bin, 'sweep', 'sweep.yml', '-o', 'broken'], {
      cwd: folder,
      stdio: 'ignore',
    });
    await until(child, moment);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const kept = readdirSync(at('broken/results'));
  const last = gpn(folder, 'sweep', 'sweep.yml', '-o', 'broken');
  expect(last.code, last.stderr).toBe(1);
  for (const name of kept) expect(last.stderr).not.toContain(`${name.replace('.json', '')}:`);
  for (const name of ['results.json', 'results.md', 'results.svg'])
    expect(read('broken', name), name).toBe(read('whole', name));
});

test.skipIf(process.platform !== 'linux')(
  'a training that another hand stops is not done, and goes on with the next sweep',
  async () => {
    const long = SWEEP.replace('steps: 9', 'steps: 200').replace('seeds: 2', 'seeds: 1');
    writeFileSync(at('long.yml'), long);
    const words = ['sweep', 'long.yml', '-o', 'stopped', '--only', 'plain', '--jobs', '1'];
    const sweep = spawn(process.execPath, [bin, ...words], { cwd: folder });
    let said = '';
    sweep.stderr.on('data', (text) => {
      said += text;
    });
    const ended = once(sweep, 'close');
    await until(sweep, () => existsSync(at('stopped/runs/plain-seed0/metrics.jsonl')));
    const { pid } = sweep;
    const training = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    process.kill(Number(training), 'SIGTERM');
    expect(await ended).toEqual([1, null]);
    expect(said).toMatch(/plain-seed0 failed: Its process was told to stop, .* at step \d+\./);
    expect(existsSync(at('stopped/results/plain-seed0.json'))).toBe(false);
    const again = gpn(folder, ...words);
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(read('stopped/results/plain-seed0.json')).steps).toBe(200);
  },
);

test('parts that are merged give the bytes of one machine; a part that is missing or there twice is named', () => {
  const part = (k: number) =>
    gpn(folder, 'sweep', 'sweep.yml', '-o', `part-${k}`, '--shard', `${k}/2`);
  const merge = (...parts: string[]) => gpn(folder, 'merge', ...parts, '-o', 'merged');
  expect([part(0), part(1)].map(({ code }) => code)).toEqual([1, 1]);
  expect(merge('part-0')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('2 of 4 runs are missing: plain-seed1,'),
  });
  expect(merge('part-0', 'part-1', 'part-0')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('plain-seed0 is there twice, in part-0 and in part-0'),
  });
  expect(merge('part-0', 'part-1').code).toBe(1);
  for (const name of ['results.json', 'results.md', 'results.svg'])
    expect(read('merged', name), name).toBe(read('whole', name));
});

test('a result of other settings is not taken for one of these', () => {
  writeFileSync(at('other.yml'), SWEEP.replace('steps: 9', 'steps: 8'));
  const { code, stderr } = gpn(folder, 'sweep', 'other.yml', '-o', 'whole');
  expect(code).toBe(2);
  expect(stderr).toContain('plain-seed0.json is the result of other settings');
});

test('the results of other runs are not overwritten', () => {
  const before = read('whole/results.json');
  writeFileSync(at('second.yml'), SWEEP.replace('name: plain', 'name: another'));
  const { code, stderr } = gpn(folder, 'sweep', 'second.yml', '-o', 'whole');
  expect(code).toBe(2);
  expect(stderr).toContain('has the result of plain-seed0, which is not in this sweep');
  expect(read('whole/results.json')).toBe(before);
});

test('what is done so far is shown, and some runs alone are trained', () => {
  const only = gpn(folder, 'sweep', 'sweep.yml', '-o', 'some', '--only', 'plain-seed1');
  expect(only.code, only.stderr).toBe(0);
  const { code, stdout, stderr } = gpn(
    folder,
    'sweep',
    'sweep.yml',
    '-o',
    'some',
    '--table',
    '--json',
  );
  expect(code, stderr).toBe(0);
  const [done, ...others] = JSON.parse(stdout).rows;
  expect(done).toEqual(JSON.parse(read('whole/results.json')).rows[1]);
  expect(others.map(({ name }: { name: string }) => name)).toEqual(['bad-seed0', 'bad-seed1']);
  expect(stderr).toContain('3 of 4 runs are done.');
  expect(gpn(folder, 'sweep', 'sweep.yml', '--only', 'plane')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      '--only plane: there is no such setting or run; the settings are plain, bad.',
    ),
  });
});

test('--dry-run says that data or a judge are missing', () => {
  writeFileSync(at('empty.yml'), read('base.yml').replace('dataset: data', 'dataset: nothing'));
  const judged = 'recipe: base.yml\nevaluate: { features: judge.onnx }\n';
  writeFileSync(at('judged.yml'), judged);
  writeFileSync(at('no-data.yml'), 'recipe: empty.yml\nseeds: 2\n');
  const dry = (file: string) => gpn(folder, 'sweep', file, '--dry-run');
  const missing = dry('no-data.yml');
  expect(missing.code).toBe(1);
  expect(missing.stdout).toMatch(/seed1 +Cannot read .*nothing: no such file/);
  expect(missing.stderr).toContain('2 of 2 runs cannot work');
  expect(dry('judged.yml').stdout).toMatch(/There is no file .*judge\.onnx/);
});

const slurm = spawnSync('scontrol', ['ping'], { encoding: 'utf8' });
const ready = slurm.status === 0 && slurm.stdout.includes('UP');

test.skipIf(!ready)(
  `Slurm runs the parts to the same bytes${ready ? '' : ' (skipped: scontrol ping finds no controller)'}`,
  async () => {
    const out = at('cluster');
    const { stdout } = gpn(
      folder,
      'sweep',
      'sweep.yml',
      '-o',
      out,
      '--print',
      'slurm',
      '--parts',
      '2',
    );
    const own = `exec ${process.execPath} ${bin} `;
    writeFileSync(at('job.sh'), stdout.replace('exec npx gpn-cli ', own));
    // The job ends with 1, as the bad rows do.
    spawnSync('sbatch', ['--wait', 'job.sh'], { cwd: folder, encoding: 'utf8' });
    const parts = [0, 1].map((k) => join(out, `part-${k}`));
    const merged = gpn(folder, 'merge', ...parts, '-o', 'from-slurm');
    expect(merged.code, merged.stderr).toBe(1);
    expect(read('from-slurm/results.json')).toBe(read('whole/results.json'));
  },
);
