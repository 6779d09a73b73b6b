import { expect, it } from 'vitest';
import { cosine, plateau, ramped, startSchedule } from '../src/run/schedule.js';

// Golden values: torch 1.13, torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5,
// patience=2), step() with these losses, from a rate of 1.
it('the schedule lowers the rate where PyTorch does', () => {
  const losses = [3, 2, 2.5, 2.5, 2.5, 2.5, 1, 1, 1, 1, 0.99995, 0.5];
  const rates: number[] = [];
  let state = startSchedule(1);
  for (const loss of losses) {
    state = plateau(state, loss, { factor: 0.5, patience: 2 });
    rates.push(state.rate);
  }
  expect(rates).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
});

// Golden values: Huang et al. 2024's burn-in, 0.05 to 0.005, where 1 + cos is 2, 1 + √½, 1, 1 − √½, 0.
it('a cosine is half way in the middle, and stays at its end', () => {
  const values = [0, 25, 50, 75, 100, 1000].map((step) => cosine(step, 100, 0.05, 0.005));
  const expected = [0.05, 0.043409902576697, 0.0275, 0.011590097423302, 0.005, 0.005];
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 12);
  });
});

it('a ramped average is that of the last tenth of the steps, until it reaches its memory', () => {
  expect(ramped(0.999, 0.1, 0)).toBe(0); // the weights themselves
  expect(ramped(0.999, 0.1, 1000)).toBeCloseTo(1 - 1 / 101, 12);
  expect(ramped(0.999, 0.1, 100_000)).toBe(0.999);
});
