/** Padding by a number for TensorFlow's convolutions, which TF.js's packages for Node refuse. */
import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow op, as the packages hand it to the native library. */
interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What is used of the packages' backend. */
interface NativeBackend {
  readonly binding: { readonly TF_ATTR_INT: number; readonly TF_ATTR_STRING: number };
  executeSingleOutput(op: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

/** The kernels whose op in TensorFlow knows the padding EXPLICIT. An average pooling's does not. */
export const PADDED = [
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
  'MaxPool',
  'MaxPoolGrad',
] as const;

/**
 * Replaces the kernels of a backend by kernels that take padding by a number, too: the kernel itself
 * is asked for no padding, and what it sends to TensorFlow is changed to EXPLICIT padding. Called
 * again, it changes nothing.
 */
export function padExplicitly(backendName: string): void {
  for (const name of PADDED) {
    const kernel = tf.getKernel(name, backendName);
    if (!kernel || ours.has(kernel.kernelFunc)) continue;
    const kernelFunc: tf.KernelFunc = (args) => {
      const pad = args.attrs?.pad;
      if (typeof pad !== 'number' || pad === 0) return kernel.kernelFunc(args);
      const backend = explicit(args.backend as NativeBackend, pad);
      return kernel.kernelFunc({ ...args, backend, attrs: { ...args.attrs, pad: 'valid' } });
    };
    ours.add(kernelFunc);
    tf.unregisterKernel(name, backendName);
    tf.registerKernel({ ...kernel, kernelFunc });
  }
}

const ours = new WeakSet<tf.KernelFunc>();

/** A backend that pads height and width by `pad` on every side, whatever padding an op is given. */
const explicit = (backend: NativeBackend, pad: number): NativeBackend =>
  Object.assign(Object.create(backend) as NativeBackend, {
    executeSingleOutput(op: string, attributes: Attribute[], inputs: tf.TensorInfo[]) {
      const { TF_ATTR_INT, TF_ATTR_STRING } = backend.binding;
      const layout = attributes.find(({ name }) => name === 'data_format')?.value as string;
      const sides = [...layout].flatMap((axis) => ('HW'.includes(axis) ? [pad, pad] : [0, 0]));
      return backend.executeSingleOutput(
        op,
        [
          ...attributes.filter(({ name }) => name !== 'padding'),
          { name: 'padding', type: TF_ATTR_STRING, value: 'EXPLICIT' },
          { name: 'explicit_paddings', type: TF_ATTR_INT, value: sides },
        ],
        inputs,
      );
    },
  });
