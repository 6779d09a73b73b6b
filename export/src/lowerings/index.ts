import { CONV } from './conv/conv.js';
import { CONV_3D } from './conv/conv3d.js';
import { GROUPED_CONV } from './conv/grouped.js';
import { DILATION } from './dilation.js';
import { BINARY, UNARY } from './elementwise.js';
import { GATHER } from './gather.js';
import { IMAGE } from './image.js';
import { MATMUL } from './matmul.js';
import { NORM } from './norm.js';
import { POOL } from './pool.js';
import { REDUCE } from './reduce.js';
import { RESIZE } from './resize.js';
import { SHAPE } from './shape.js';
import type { Table } from './table.js';

/** Every TF.js kernel that has an ONNX form here, by TF.js's name. */
export const LOWERINGS: Table = {
  ...UNARY,
  ...BINARY,
  ...SHAPE,
  ...REDUCE,
  ...MATMUL,
  ...GATHER,
  ...CONV,
  ...GROUPED_CONV,
  ...CONV_3D,
  ...POOL,
  ...NORM,
  ...DILATION,
  ...RESIZE,
  ...IMAGE,
};
