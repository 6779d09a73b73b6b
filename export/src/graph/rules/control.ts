import { ANY, mustEqual, type Rule, type Rules, type Shape } from './rule.js';

/** What a loop carries has one shape in all rounds, but for sizes that rounds change. */
const loop: Rule = ({ shapes, bodies }) => {
  const next = (bodies[0] as readonly Shape[]).slice(1);
  return shapes
    .slice(2, 2 + next.length)
    .map((shape, i) => (shape as Shape).map((d, axis) => (d === next[i]?.[axis] ? d : ANY)));
};

/** Both branches give results of the same shapes. */
const choice: Rule = ({ bodies }) => {
  const [results, others] = bodies as [readonly Shape[], readonly Shape[]];
  results.forEach((shape, i) => {
    mustEqual("the other branch's result", others[i] as Shape, shape);
  });
  return results;
};

/** Operators that have graphs in them. */
export const CONTROL: Rules = { Loop: loop, If: choice };
