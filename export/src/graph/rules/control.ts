import { mustEqual, type Rule, type Rules, type Shape } from './rule.js';

/** What a loop carries has one shape in all rounds. */
const loop: Rule = ({ shapes }) => shapes.slice(2).map((shape) => shape as Shape);

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
