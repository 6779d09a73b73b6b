import { each, mustEqual, type Rule, type Rules, shapeAt } from './rule.js';

/** Series [time, batch, features] with weights [directions, gates · units, features]. */
const series: Rule = (call) => {
  const [time, batch, features] = shapeAt(call, 0) as [number, number, number];
  const [directions, rows, columns] = shapeAt(call, 1) as [number, number, number];
  const units = shapeAt(call, 2)[2] as number;
  mustEqual("the kernel's columns", [columns], [features]);
  mustEqual("the state's kernel", shapeAt(call, 2), [directions, rows, units]);
  if (call.shapes[3]) mustEqual('the bias', shapeAt(call, 3), [directions, 2 * rows]);
  if (call.shapes[4]) mustEqual('the lengths', shapeAt(call, 4), [batch]);
  const state = [directions, batch, units];
  for (const i of [5, 6]) if (call.shapes[i]) mustEqual('the first state', shapeAt(call, i), state);
  return [[time, directions, batch, units], state, state];
};

/** Operators that go over a series. */
export const RECURRENT: Rules = each(['LSTM', 'GRU', 'RNN'], series);
