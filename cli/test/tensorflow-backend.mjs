/** A backend called tensorflow that computes in JavaScript, and refuses what the real one refuses. */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

const CONVOLUTIONS = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'];

/** Like the packages' backend it runs ops by name, with the padding that their attributes say. */
class Backend extends MathBackendCPU {
  binding = { TF_ATTR_INT: 1, TF_ATTR_STRING: 0 };

  executeSingleOutput(op, attributes, { inputs, attrs }) {
    const { padding, explicit_paddings: sides } = Object.fromEntries(
      attributes.map(({ name, value }) => [name, value]),
    );
    const pairs = () => [0, 2, 4, 6].map((i) => sides.slice(i, i + 2));
    const pad = padding === 'EXPLICIT' ? pairs() : padding.toLowerCase();
    const { kernelFunc } = tf.getKernel(op, 'cpu');
    return kernelFunc({ inputs, attrs: { ...attrs, pad }, backend: this });
  }
}

tf.copyRegisteredKernels('cpu', 'tensorflow');
for (const kernelName of CONVOLUTIONS) {
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      if (typeof attrs.pad === 'number' && attrs.pad > 0) {
        throw new Error("TF Backend supports only 'valid' and 'same' padding");
      }
      const attributes = [
        { name: 'padding', value: attrs.pad === 0 ? 'VALID' : attrs.pad.toUpperCase() },
        { name: 'data_format', value: 'NHWC' },
      ];
      return backend.executeSingleOutput(kernelName, attributes, { inputs, attrs });
    },
  });
}
tf.registerBackend('tensorflow', () => new Backend());
