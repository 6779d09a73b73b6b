/**
 * Convolutions in groups, which TensorFlow.js lacks: output channel o of group g sees the input channels
 * of that group only. The filter is [height, width, in / groups, out].
 */
import * as tf from '@tensorflow/tfjs-core';

type Image = tf.Tensor4D;

/** How the windows lie; the same for the convolution and both of its gradients. */
interface Windows {
  readonly groups: number;
  readonly stride: number;
  readonly pad: number;
}

/** Names of the kernels. A backend that has them computes all groups at once; others slice. */
const KERNEL = {
  forward: 'GroupedConv2D',
  input: 'GroupedConv2DBackpropInput',
  filter: 'GroupedConv2DBackpropFilter',
} as const;

/** Runs a kernel if the backend has it, and otherwise computes the same from operations of TF.js. */
const run = (
  name: string,
  inputs: tf.NamedTensorMap,
  attrs: object,
  otherwise: () => tf.Tensor,
): tf.Tensor =>
  tf.getKernel(name, tf.getBackend())
    ? (tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor)
    : otherwise();

const attrsOf = ({ groups, stride, pad }: Windows) => ({
  groups,
  strides: stride,
  pad,
  dataFormat: 'NHWC',
});

/** Group k of the channels, which are the last axis. */
const part = (x: tf.Tensor, k: number, groups: number): Image => {
  const size = (x.shape.at(-1) as number) / groups;
  const begin = x.shape.map((_, axis) => (axis === x.rank - 1 ? k * size : 0));
  return tf.slice(x, begin, [...x.shape.slice(0, -1), size]) as Image;
};

/** The results of all groups side by side. */
const together = (groups: number, of: (k: number) => tf.Tensor): tf.Tensor =>
  tf.concat(
    Array.from({ length: groups }, (_, k) => of(k)),
    -1,
  );

/** A function of two tensors, linear in each, and its gradient for each. */
const bilinear = (
  value: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  toFirst: (dy: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  toSecond: (dy: tf.Tensor, a: tf.Tensor) => tf.Tensor,
) =>
  tf.customGrad((first, second, save) => {
    const [a, b] = [first, second] as [tf.Tensor, tf.Tensor];
    (save as tf.GradSaveFunc)([a, b]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
      toFirst(dy, saved[1] as tf.Tensor),
      toSecond(dy, saved[0] as tf.Tensor),
    ];
    return { value: value(a, b), gradFunc };
  });

/**
 * The convolution of [batch, height, width, in] with `pad` zeros on every side. It and its gradients are
 * each linear in two of the three tensors x, filter and dy, so the gradients of any of them are the
 * other two, to any order.
 */
export function groupedConv2d(x: tf.Tensor, filter: tf.Tensor, at: Windows): tf.Tensor {
  const { groups, stride, pad } = at;
  const attrs = attrsOf(at);
  const [inputShape, filterShape] = [x.shape, filter.shape];
  const forward = bilinear(
    (a, w) =>
      run(KERNEL.forward, { x: a, filter: w }, attrs, () =>
        together(groups, (k) => tf.conv2d(part(a, k, groups), part(w, k, groups), stride, pad)),
      ),
    (dy, w) => input(dy, w),
    (dy, a) => weights(a, dy),
  );
  const input = bilinear(
    (dy, w) =>
      run(KERNEL.input, { dy, filter: w }, { ...attrs, inputShape }, () => {
        const shape = [...inputShape.slice(0, 3), (inputShape[3] as number) / groups];
        return together(groups, (k) =>
          tf.conv2dTranspose(
            part(dy, k, groups),
            part(w, k, groups),
            shape as [number, number, number, number],
            stride,
            pad,
          ),
        );
      }),
    (ddx, w) => forward(ddx, w),
    (ddx, dy) => weights(ddx, dy),
  );
  const weights = bilinear(
    (a, dy) =>
      run(KERNEL.filter, { x: a, dy }, { ...attrs, filterShape }, () => {
        const shape = [...filterShape.slice(0, 3), (filterShape[3] as number) / groups];
        return together(
          groups,
          (k) =>
            tf
              .engine()
              .runKernel(
                tf.Conv2DBackpropFilter,
                { x: part(a, k, groups), dy: part(dy, k, groups) },
                { strides: stride, pad, dataFormat: 'NHWC', filterShape: shape },
              ) as tf.Tensor,
        );
      }),
    (ddw, dy) => input(dy, ddw),
    (ddw, a) => forward(a, ddw),
  );
  return forward(x, filter);
}
