import { expect, it } from 'vitest';
import { plateau, startSchedule } from '../src/run/schedule.js';

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
