/** `gpn-cli sweep` with Optuna's command itself, and trainings of seconds. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveRecipe } from '@gpn/training';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bin, gpn, scratchFolder, until } from './cli.js';
import { smallPictures } from './small-pictures.js';

const folder = scratchFolder();
const at = (...names: string[]) => join(folder, ...names);
const read = (...names: string[]) => readFileSync(at(...names), 'utf8');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SEARCH = `recipe: base.yml
search:
  trials: 2
  directions: { sliced: minimize }
  params:
    training.optimizer.generator_lr: { type: float, low: 0.001, high: 0.01, log: true }
    training.loss: { type: categorical, choices: [hinge, null] }
steps: 3
evaluate: { samples: 8 }
`;

beforeAll(async () => {
  await smallPictures(folder);
  writeFileSync(at('search.yml'), SEARCH);
});

const sweep = (...args: string[]) => gpn(folder, 'sweep', 'search.yml', ...args);

test('what a search does not have is refused with what there is instead', () => {
  expect(sweep('--retry')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('a trial that failed stays so'),
  });
});

test('a key that no recipe has ends a search before its first trial', () => {
  writeFileSync(at('wrong.yml'), SEARCH.replace('training.loss', 'training.los'));
  expect(gpn(folder, 'sweep', 'wrong.yml', '--dry-run')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'with the first values of search.params: training.los is not a known key; did you mean loss?',
    ),
  });
});

test('a choice that no recipe takes is named before the first trial', () => {
  const smoothed = '    training.label_smoothing: { type: categorical, choices: [0.1] }\n';
  const search = SEARCH.replace('[hinge, null]', '[modified, hinge, least_squares]');
  writeFileSync(at('choice.yml'), search.replace('steps:', `${smoothed}steps:`));
  const { stderr } = gpn(folder, 'sweep', 'choice.yml', '--dry-run');
  expect(stderr.split('\n').filter((line) => line.includes('may fail'))).toEqual([
    'choice.yml: trials with training.loss "hinge" may fail: training.label_smoothing must be 0 with the loss hinge, which gives real images no label, found 0.1.',
  ]);
});

test('without Optuna, a search says how to get it', () => {
  const { status, stderr } = spawnSync(process.execPath, [bin, 'sweep', 'search.yml'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: at('nothing') },
  });
  expect(status).toBe(2);
  expect(stderr).toContain('there is no command optuna: install it by pip install optuna');
});

const { status } = spawnSync('optuna', ['--version']);
const why = status === 0 ? '' : ' (skipped: there is no command optuna)';

test.skipIf(status !== 0)(
  `a search killed in a trial ends with the bytes of one that is not, and each number counts once${why}`,
  async () => {
    const whole = sweep('-o', 'whole', '--jobs', '1');
    expect(whole.code, whole.stderr).toBe(0);
    const child = spawn(
      process.execPath,
      [bin, 'sweep', 'search.yml', '-o', 'broken', '--jobs', '1'],
      { cwd: folder, stdio: 'ignore' },
    );
    await until(child, () => existsSync(at('broken/runs/trial-0-seed0/metrics.jsonl')));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const last = sweep('-o', 'broken', '--jobs', '1');
    expect(last.code, last.stderr).toBe(0);
    for (const name of ['results.json', 'results.md', 'results.svg'])
      expect(read('broken', name), name).toBe(read('whole', name));

    const { search, rows, means, best, plan } = JSON.parse(read('whole/results.json'));
    expect(rows.map(({ name }: { name: string }) => name)).toEqual([
      'trial-0-seed0',
      'trial-1-seed0',
    ]);
    expect(search.directions).toEqual({ sliced: 'minimize' });
    // The oracle: what Optuna itself calls the best.
    const { study } = JSON.parse(read('broken/search.json'));
    const known = spawnSync('optuna', ['best-trial', '--study-name', study, '-f', 'json'], {
      cwd: at('broken'),
      encoding: 'utf8',
      env: { ...process.env, OPTUNA_STORAGE: 'sqlite:///optuna.db' },
    });
    const { number, value, params } = JSON.parse(known.stdout);
    expect(best).toEqual([`trial-${number}`]);
    const named = <T extends { setting: string }>(list: T[]): T =>
      list.find(({ setting }) => setting === best[0]) as T;
    expect((named(means) as unknown as (typeof means)[0]).scores.sliced.mean).toBe(value);
    expect((named(plan) as unknown as (typeof plan)[0]).changes).toEqual(params);
    expect(readdirSync(at('broken/best'))).toEqual([`${best[0]}.yml`]);
    const recipe = resolveRecipe(at('broken/best', `${best[0]}.yml`));
    expect(recipe.training.optimizer.generator_lr).toBe(params['training.optimizer.generator_lr']);
    // With more trials in the file, it is the same search.
    expect(sweep('-o', 'whole', '--table').stderr).toContain('2 of 2 trials are done.');
  },
);
