/**
 * Lists of tensors, which loops read and fill, as tensors of one more axis in front, the list's. TF.js keeps
 * them beside the graph, where its loops by functions lose them and a trace does not see them.
 *
 * A list of which nothing is known but how many elements it has room for is that number, a scalar.
 */
import * as tf from '@tensorflow/tfjs-core';
import { isConstant } from '../../trace/backend.js';
import { rangeTensor, sizeTensor } from '../../trace/unknown-sizes.js';
import type { NodeDef } from './graph-def.js';

type Operation = (inputs: readonly tf.Tensor[], node: NodeDef) => tf.Tensor[];

const isEmpty = (list: tf.Tensor): boolean => list.rank === 0;

/** A number, if it is known: a constant, or what a size is in the trace. */
function knownNumber(number: tf.Tensor): number | undefined {
  try {
    return number.dataSync()[0] as number;
  } catch {
    return undefined;
  }
}

/** A list to which nothing was written, for elements of a shape. */
export function emptyList(
  list: tf.Tensor,
  elementShape: readonly number[],
  dtype: tf.DataType,
): tf.Tensor {
  const room = knownNumber(list);
  if (room !== undefined) return tf.zeros([room, ...elementShape], dtype);
  return tf.gather(tf.zeros([1, ...elementShape], dtype), tf.mul(upTo(list), int(0)));
}

const int = (value: number): tf.Scalar => tf.scalar(value, 'int32');

/** 0, 1, 2, … as many as a number says. */
const upTo = (count: tf.Tensor): tf.Tensor1D => rangeTensor(int(0), count, int(1)) as tf.Tensor1D;

const DTYPES: Readonly<Record<string, tf.DataType>> = {
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_BOOL: 'bool',
};

const dtypeOf = ({ attr = {} }: NodeDef): tf.DataType =>
  DTYPES[String(((attr.element_dtype ?? attr.dtype) as { type?: string })?.type)] ?? 'float32';

/** The list with a shape for its elements; one that nothing was written to has that of the node. */
function filled(list: tf.Tensor, elementShape: tf.Tensor | undefined, node: NodeDef): tf.Tensor {
  if (!isEmpty(list)) return list;
  const shape = [...(elementShape?.dataSync() ?? [-1])];
  if (elementShape?.rank === 0 || shape.some((d) => d < 0)) {
    throw new Error('a list of tensors is read to which nothing was written');
  }
  return emptyList(list, shape, dtypeOf(node));
}

const scalar = (t: tf.Tensor): tf.Tensor => tf.cast(tf.reshape(t, []), 'int32');
const rows = (indices: tf.Tensor): tf.Tensor => tf.reshape(tf.cast(indices, 'int32'), [-1, 1]);

/** The list with at least as many elements as an index needs. */
function grown(list: tf.Tensor, index: tf.Tensor): tf.Tensor {
  const missing = (index.dataSync()[0] as number) + 1 - (list.shape[0] as number);
  return missing > 0
    ? tf.concat([list, tf.zeros([missing, ...list.shape.slice(1)], list.dtype)])
    : list;
}

function withItems(list: tf.Tensor, indices: tf.Tensor, items: tf.Tensor): tf.Tensor {
  const whole = isEmpty(list) ? emptyList(list, items.shape.slice(1), items.dtype) : list;
  return tf.tensorScatterUpdate(whole, rows(indices), items);
}

/** @param grows whether an index beyond its end makes the list longer */
function withItem(list: tf.Tensor, index: tf.Tensor, item: tf.Tensor, grows: boolean): tf.Tensor {
  const whole = isEmpty(list) ? emptyList(list, item.shape, item.dtype) : list;
  const one = tf.expandDims(item, 0);
  const length = lengthOf(whole);
  if (isConstant(index) && isConstant(length)) {
    return tf.tensorScatterUpdate(grown(whole, index), rows(index), one);
  }
  if (!grows && whole.shape[0] !== 0) return tf.tensorScatterUpdate(whole, rows(index), one);
  return longer(whole, scalar(index), one);
}

/** The list with an element at an index that may be beyond its end; what is between is 0. */
function longer(list: tf.Tensor, index: tf.Tensor, one: tf.Tensor): tf.Tensor {
  const length = lengthOf(list);
  const places = upTo(tf.maximum(length, tf.add(index, int(1))));
  const source = tf.where(
    tf.equal(places, index),
    tf.add(length, int(1)),
    tf.minimum(places, length),
  ) as tf.Tensor1D;
  return tf.gather(tf.concat([list, tf.zerosLike(one), one]), source);
}

const lengthOf = (list: tf.Tensor): tf.Tensor => (isEmpty(list) ? scalar(list) : sizeTensor(list));

/** Elements of different lengths have no tensor. */
const joined = (list: tf.Tensor): tf.Tensor => tf.reshape(list, [-1, ...list.shape.slice(2)]);

type List = [list: tf.Tensor, ...rest: tf.Tensor[]];

/** What TensorFlow 2 does with lists, and what TensorFlow 1 does: there, the last input is the list. */
export const LISTS: Readonly<Record<string, Operation>> = {
  TensorListFromTensor: ([t]) => [t as tf.Tensor],
  TensorListReserve: ([, count]) => [scalar(count as tf.Tensor)],
  EmptyTensorList: () => [int(0)],
  TensorListStack: ([list, shape], node) => [filled(list as tf.Tensor, shape, node)],
  TensorListLength: ([list]) => [lengthOf(list as tf.Tensor)],
  TensorListGetItem: (inputs, node) => {
    const [list, index, shape] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
    return [tf.gather(filled(list, shape, node), scalar(index))];
  },
  TensorListSetItem: (inputs, { attr = {} }) => {
    const [list, index, item] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
    const { b: grows = false } = (attr.resize_if_index_out_of_bounds ?? {}) as { b?: boolean };
    return [withItem(list, index, item, grows)];
  },
  TensorListGather: (inputs, node) => {
    const [list, indices, shape] = inputs as [tf.Tensor, tf.Tensor1D, tf.Tensor];
    return [tf.gather(filled(list, shape, node), indices)];
  },
  TensorListScatterV2: (inputs) => {
    const [items, indices, , count] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return [withItems(scalar(count), indices, items)];
  },
  TensorListPushBack: (inputs) => {
    const [list, item] = inputs as [tf.Tensor, tf.Tensor];
    const whole = isEmpty(list) ? emptyList(list, item.shape, item.dtype) : list;
    return [tf.concat([whole, tf.expandDims(item, 0)])];
  },
  TensorListPopBack: (inputs, node) => {
    const [list, shape] = inputs as List;
    const whole = filled(list, shape, node);
    const last = (whole.shape[0] as number) - 1;
    return [tf.slice(whole, [0], [last]), tf.gather(whole, last)];
  },
  TensorListConcatV2: ([list, shape], node) => [joined(filled(list as tf.Tensor, shape, node))],
  TensorListConcat: ([list], node) => [joined(filled(list as tf.Tensor, undefined, node))],
  // What TensorFlow has a handle for says here whether the list grows.
  TensorArrayV3: ([count], { attr = {} }) => {
    const { b: grows = false } = (attr.dynamic_size ?? {}) as { b?: boolean };
    return [int(grows ? 1 : 0), scalar(count as tf.Tensor)];
  },
  TensorArrayReadV3: (inputs, node) => {
    const [, index, list] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
    return [tf.gather(filled(list, undefined, node), scalar(index))];
  },
  TensorArrayWriteV3: (inputs) => {
    const [handle, index, item, list] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return [withItem(list, index, item, handle.dataSync()[0] === 1)];
  },
  TensorArrayGatherV3: (inputs, node) => {
    const [, indices, list] = inputs as [tf.Tensor, tf.Tensor1D, tf.Tensor];
    return [tf.gather(filled(list, undefined, node), indices)];
  },
  TensorArrayScatterV3: (inputs) => {
    const [, indices, items, list] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return [withItems(list, indices, items)];
  },
  TensorArrayConcatV3: (inputs, node) => {
    const [, list] = inputs as [tf.Tensor, tf.Tensor];
    return [joined(filled(list, undefined, node))];
  },
  TensorArraySizeV3: ([, list]) => [lengthOf(list as tf.Tensor)],
  TensorArrayCloseV3: () => [],
};

/**
 * Whether all loops of a graph are functions, it keeps lists of tensors, and does nothing with them that is
 * not among ours.
 */
export function listsInLoops(nodes: readonly NodeDef[]): boolean {
  const ops = nodes.map(({ op }) => op);
  const ofLists = ops.filter((op) => /TensorList|^TensorArray/.test(op));
  return ofLists.length > 0 && !ops.includes('Enter') && ofLists.every((op) => op in LISTS);
}
