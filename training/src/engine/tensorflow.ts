/// <reference path="./tensorflow-packages.d.ts" />
/** TensorFlow through TF.js's native packages, which are optional and loaded on demand. */
import type { Tensors } from '@gpn/export';
import { type OpenOptions, UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { eagerStep } from './eager.js';
import type { CompiledStep, StepInputs, StepOutputs } from './types.js';

/** The backend that both packages register. */
const BACKEND = 'tensorflow';

const PACKAGES = {
  cuda: { name: '@tensorflow/tfjs-node-gpu', load: () => import('@tensorflow/tfjs-node-gpu') },
  cpu: { name: '@tensorflow/tfjs-node', load: () => import('@tensorflow/tfjs-node') },
};
type Package = (typeof PACKAGES)[keyof typeof PACKAGES];

const install = ({ name }: Package): string => `\`npm install ${name}@4.22.0\``;

/** In the order in which they are tried. */
const WANTED: Readonly<Partial<Record<string, readonly Package[]>>> = {
  auto: [PACKAGES.cuda, PACKAGES.cpu],
  cuda: [PACKAGES.cuda],
  cpu: [PACKAGES.cpu],
};

/**
 * A training step on TensorFlow, operation by operation.
 *
 * @throws UserError if the package is not installed or does not load (with instructions), if
 *   TensorFlow does not have the device, or if a number of threads is given
 */
export async function tensorflowStep<S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  { device = 'auto', threads }: OpenOptions = {},
): Promise<CompiledStep> {
  const wanted = WANTED[device];
  if (!wanted) {
    throw new UserError(
      `The engine tensorflow has no device ${device}: use auto, cpu or cuda, or the engine onnx.`,
    );
  }
  if (threads !== undefined) {
    throw new UserError(
      'The engine tensorflow chooses its threads itself: leave --threads out, or use the engine onnx.',
    );
  }
  const { name } = await firstInstalled(wanted);
  await tf.setBackend(BACKEND);
  // Without a GPU, the GPU package only warns and computes on the CPU.
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  if (device === 'cuda' && !gpu) {
    throw new UserError(
      `The device cuda cannot be used: ${name} finds no GPU; it needs an NVIDIA driver, CUDA and cuDNN.`,
    );
  }
  return eagerStep(step, inputs, {
    backend: BACKEND,
    device: `tensorflow ${gpu ? 'cuda' : 'cpu'}`,
    reason: `by ${name}`,
  });
}

async function firstInstalled(wanted: readonly Package[]): Promise<Package> {
  for (const candidate of wanted) {
    try {
      await candidate.load();
      return candidate;
    } catch (error) {
      if (isAbsent(error, candidate)) continue;
      const { message } = error as Error;
      throw new UserError(
        `${candidate.name} is installed but does not load (${message}): reinstall it with ${install(candidate)}, or use the engine onnx.`,
      );
    }
  }
  const commands = wanted.map(install).join(' or ');
  throw new UserError(
    `The engine tensorflow is not installed: run ${commands}, or use the engine onnx.`,
  );
}

/** Whether the package itself is missing, and not one of its dependencies. */
const isAbsent = (error: unknown, { name }: Package): boolean =>
  error instanceof Error &&
  (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
  error.message.includes(`'${name}'`);
