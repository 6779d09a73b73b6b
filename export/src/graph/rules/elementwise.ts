import { broadcastShapes } from '../shapes.js';
import { each, type Rule, type Rules, type Shape, shapeAt } from './rule.js';

/** Operators whose result has the shape of the first input. */
const first: Rule = (call) => [shapeAt(call, 0)];

/** Operators whose inputs broadcast to one shape. */
const broadcast: Rule = ({ shapes }) => [
  shapes.map((shape) => shape as Shape).reduce((a, b) => broadcastShapes(a, b)),
];

export const ELEMENTWISE: Rules = {
  ...each(['Identity', 'Abs', 'Neg', 'Sign', 'Reciprocal', 'Sqrt', 'Exp', 'Log', 'Erf'], first),
  ...each(['Ceil', 'Floor', 'Round', 'Not', 'IsNaN', 'IsInf', 'Cast', 'Clip'], first),
  ...each(['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan'], first),
  ...each(['Sinh', 'Cosh', 'Tanh', 'Asinh', 'Acosh', 'Atanh'], first),
  ...each(['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Sigmoid', 'Softplus'], first),
  // Along an axis, or over neighbours, but as many numbers come out as go in.
  ...each(['Softmax', 'LogSoftmax', 'LRN', 'CumSum', 'DFT'], first),
  ...each(['RandomNormalLike', 'RandomUniformLike'], first),
  ...each(['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Pow', 'Max', 'Min', 'BitwiseAnd'], broadcast),
  ...each(['And', 'Or', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'], broadcast),
  Where: broadcast,
};
