/**
 * TF.js's backend in WebAssembly, if its package is installed: it runs a model several times as fast as
 * the one in JavaScript. The kernels that it lacks are those of the cpu backend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { foldOnCpu } from '../trace/cpu.js';

/** A name of its own, so that a program that uses the backend itself has only the kernels it knows. */
export const WASM = 'gpn-wasm';

let started: Promise<boolean> | undefined;

/** Makes the backend ready. @returns whether there is one */
export function startWasm(): Promise<boolean> {
  started ??= start().catch(() => false);
  return started;
}

async function start(): Promise<boolean> {
  await import('@tensorflow/tfjs-backend-wasm');
  const factory = tf.findBackendFactory('wasm');
  tf.copyRegisteredKernels('wasm', WASM);
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (!tf.getKernel(kernelName, WASM)) tf.registerKernel(byCpu(kernelName));
  }
  tf.registerBackend(WASM, factory, 0); // never chosen by itself
  const previous = tf.engine().backendName;
  const there = await tf.setBackend(WASM);
  await tf.setBackend(previous);
  return there;
}

/** A kernel that copies its inputs out of the memory of WebAssembly, and its results into it. */
const byCpu = (kernelName: string): tf.KernelConfig => ({
  kernelName,
  backendName: WASM,
  kernelFunc({ inputs, attrs = {}, backend }) {
    const memory = backend as tf.KernelBackend;
    const given = Object.entries(inputs).flatMap(([name, input]) =>
      input ? [{ name, info: input, values: memory.readSync(input.dataId) }] : [],
    );
    return foldOnCpu(kernelName, given, attrs, (values, shape, dtype) => {
      if (dtype === 'complex64') throw new Error('WebAssembly keeps no complex numbers');
      return { dataId: memory.write(values, shape, dtype), shape, dtype };
    });
  },
});
