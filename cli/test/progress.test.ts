import { expect, test } from 'vitest';
import { clock, createProgress } from '../src/terminal/progress.js';

/** A stream that keeps what is written to it, and a clock that the test moves. */
function setting(isTTY: boolean) {
  const written: string[] = [];
  const stream = {
    isTTY,
    columns: 120,
    write: (text: string) => written.push(text) > 0,
  } as unknown as NodeJS.WriteStream;
  let seconds = 100;
  const progress = createProgress(stream, () => seconds);
  return {
    written,
    progress,
    wait: (more: number) => {
      seconds += more;
    },
  };
}

const start = {
  type: 'start',
  phase: 'adversarial',
  step: 100,
  steps: 300,
  epochs: 2,
  images: 60_000,
  device: 'cpu',
  reason: 'no GPU found',
  out: 'runs/a',
} as const;
const step = (n: number) =>
  ({
    type: 'step',
    step: n,
    steps: 300,
    epoch: 1,
    imagesPerSecond: 1234.5,
    losses: { discriminator: 0.51234, generator: 1.2 },
  }) as const;

test.each([
  [0, '0:00'],
  [65.4, '1:05'],
  [59.6, '1:00'],
  [3725, '1:02:05'],
])('clock shows %d seconds as %s', (seconds, shown) => {
  expect(clock(seconds)).toBe(shown);
});

test('progress writes a line to a log every five seconds and one at the end', () => {
  const { written, progress, wait } = setting(false);
  progress.on(start);
  for (let n = 101; n <= 300; n++) {
    wait(0.1);
    progress.on(step(n));
  }
  progress.stop();
  const [first, ...lines] = written;
  expect(first).toBe('Training on 60,000 images, 300 steps, on cpu (no GPU found), into runs/a\n');
  expect(lines).toHaveLength(4);
  expect(lines.at(-1)).toBe('100% · 300/300 · ETA 0:00 · 1,235 images/s · D 0.512 · G 1.200\n');
});

test('progress computes the time left from the steps of this process, not from those before a resume', () => {
  const { written, progress, wait } = setting(false);
  progress.on(start);
  wait(10);
  progress.on(step(150)); // 50 steps in 10 s; 150 more are to come
  expect(written.at(-1)).toContain('ETA 0:30');
});

test('progress shows the same figures on a terminal, beside a bar', () => {
  const { written, progress, wait } = setting(true);
  progress.on(start);
  wait(10);
  progress.on(step(150));
  progress.stop();
  expect(written.join('')).toContain(
    '50% · 150/300 · ETA 0:30 · 1,235 images/s · D 0.512 · G 1.200',
  );
});

test('progress reports on reading many images, and is silent about a few', () => {
  const { written, progress, wait } = setting(false);
  progress.on({ type: 'data', done: 1, total: 4000 });
  expect(written).toEqual([]);
  wait(6);
  progress.on({ type: 'data', done: 2000, total: 4000 });
  expect(written).toEqual(['50% · image 2,000/4,000\n']);
});

test('progress writes a line for an evaluation, and for a collapse its signs and the reaction', () => {
  const { written, progress } = setting(false);
  progress.on(start);
  progress.on({
    ...{ type: 'evaluation', step: 1000, best: true, classes: 10 },
    measures: { frechet: 34.12, recall: 0.614, duplicates: 0.01, deviation: 0.19, classes: 9 },
  });
  expect(written.at(-1)).toBe(
    'Step 1,000: Fréchet distance 34.1, the best so far · recall 0.61 · 9 of 10 classes · 1 % duplicates\n',
  );
  // Without a judge.
  progress.on({
    ...{ type: 'evaluation', step: 1100, best: false, classes: 0 },
    measures: { duplicates: 0, deviation: 0.1234 },
  });
  expect(written.at(-1)).toBe('Step 1,100: 0 % duplicates · pixel deviation 0.123\n');
  progress.on({
    ...{ type: 'evaluation', step: 1150, best: true, classes: 0 },
    measures: { sliced: 41.26, duplicates: 0, deviation: 0.1234 },
  });
  expect(written.at(-1)).toBe(
    'Step 1,150: sliced Wasserstein distance 41.3, the best so far · 0 % duplicates · pixel deviation 0.123\n',
  );
  const signs = ['99 % of the images have a twin', 'recall has fallen from 0.61 to 0.00'];
  const collapse = { type: 'collapse', step: 1200, signs } as const;
  for (const [action, ending] of [
    ['warn', 'training goes on, as the recipe says'],
    ['stop', 'training stops'],
    ['rollback', 'training goes back to step 1,000, the best so far, with half the learning rates'],
  ] as const) {
    progress.on({ ...collapse, action, best: { step: 1000, frechet: 34.12 } });
    expect(written.at(-1)).toBe(
      `Step 1,200: the generator has collapsed: ${signs.join('; ')}; ${ending}\n`,
    );
  }
});

test('the time left follows the pace of the last minute', () => {
  const { written, progress, wait } = setting(false);
  progress.on({ ...start, step: 0, steps: 1000 });
  const on = (n: number) => progress.on({ ...step(n), steps: 1000 });
  const after = (steps: readonly number[], seconds: number) => {
    for (const n of steps) {
      wait(seconds);
      on(n);
    }
    progress.stop();
    return written
      .join('')
      .match(/ETA [\d:]+/g)
      ?.at(-1);
  };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  expect(after(range(1, 101), 1)).toBe('ETA 15:00');
  // Other work has come: ten seconds a step.
  expect(after(range(101, 121), 10)).toBe('ETA 2:26:40');
});
