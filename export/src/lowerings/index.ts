import { CONV } from './conv.js';
import { BINARY, UNARY } from './elementwise.js';
import { MATMUL } from './matmul.js';
import { NORM } from './norm.js';
import { REDUCE } from './reduce.js';
import { SHAPE } from './shape.js';
import type { Table } from './table.js';

/** Every TF.js kernel that has an ONNX form here, by TF.js's name. */
export const LOWERINGS: Table = {
  ...UNARY,
  ...BINARY,
  ...SHAPE,
  ...REDUCE,
  ...MATMUL,
  ...CONV,
  ...NORM,
};
