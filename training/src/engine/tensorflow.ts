/// <reference path="./tensorflow-packages.d.ts" />
/** TensorFlow through TF.js's native packages, which are optional and loaded on demand. */
import util from 'node:util';
import type { Tensors } from '@gpn/export/trace';
import { type OpenOptions, reasonOf, UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { eagerStep } from './eager.js';
import { padExplicitly } from './explicit-padding.js';
import type { CompiledStep, StepInputs, StepOutputs } from './types.js';

/** The backend that both packages register. */
const BACKEND = 'tensorflow';

const PACKAGES = {
  cuda: { name: '@tensorflow/tfjs-node-gpu', load: () => import('@tensorflow/tfjs-node-gpu') },
  cpu: { name: '@tensorflow/tfjs-node', load: () => import('@tensorflow/tfjs-node') },
};
type Package = (typeof PACKAGES)[keyof typeof PACKAGES];

// Their install scripts download TensorFlow; many an .npmrc, this project's too, forbids scripts.
const install = ({ name }: Package): string =>
  `\`npm install --ignore-scripts=false ${name}@4.22.0\``;

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
  padExplicitly(BACKEND);
  // Without a GPU, the GPU package only warns and computes on the CPU.
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  if (device === 'cuda' && !gpu) {
    throw new UserError(
      `The device cuda cannot be used: ${name} finds no GPU; it needs an NVIDIA driver, CUDA and cuDNN.`,
    );
  }
  const eager = eagerStep(step, inputs, {
    backend: BACKEND,
    device: `tensorflow ${gpu ? 'cuda' : 'cpu'}`,
    reason: `by ${name}`,
  });
  return {
    ...eager,
    run: (feeds) => eager.run(feeds).catch(explain),
    runAll: (feeds) => eager.runAll(feeds).catch(explain),
  };
}

/** What the packages say if they or TensorFlow cannot compute something, and what it means. */
const REFUSALS: readonly [RegExp, (found: string) => string][] = [
  [/^Kernel '(\w+)' not registered/, (kernel) => `it has no kernel ${kernel}`],
  [
    /^TF Backend supports only (?:'valid' and 'same') padding/,
    () => 'it cannot pad this pooling by a number',
  ],
  // Status 8 of TensorFlow: the resources are exhausted.
  [
    /^Invalid TF_Status: 8\nMessage: (.*)/,
    (said) => `the memory is not enough for this batch size (${said})`,
  ],
  [/^Invalid TF_Status: \d+\nMessage: (.*)/, (said) => `TensorFlow says "${said}"`],
];

/** @throws UserError if a step fails because of what TensorFlow cannot do; any other error as it is */
function explain(error: unknown): never {
  const { message } = error as Error;
  for (const [pattern, reason] of REFUSALS) {
    const found = pattern.exec(message);
    if (found) {
      throw new UserError(
        `The engine tensorflow cannot run this training: ${reason(found[1] ?? '')}. Use the engine onnx.`,
        { cause: error },
      );
    }
  }
  throw error;
}

async function firstInstalled(wanted: readonly Package[]): Promise<Package> {
  prepareNode();
  for (const candidate of wanted) {
    try {
      await candidate.load();
      return candidate;
    } catch (error) {
      if (isAbsent(error, candidate)) continue;
      throw new UserError(broken(candidate, error), { cause: error });
    }
  }
  const commands = wanted.map(install).join(' or ');
  throw new UserError(
    `The engine tensorflow is not installed: run ${commands}, or use the engine onnx.`,
  );
}

/** What the packages need before they are loaded. */
function prepareNode(): void {
  // They call two functions that later versions of Node lack.
  const node = util as { isArray?: unknown; isNullOrUndefined?: unknown };
  node.isArray ??= Array.isArray;
  node.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  // TensorFlow's greeting would break into the progress bar; its warnings and errors are kept.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
}

/** Whether the package itself is missing, and not one of its dependencies. */
const isAbsent = (error: unknown, { name }: Package): boolean =>
  error instanceof Error &&
  (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
  error.message.includes(`'${name}'`);

/** What is wrong with a package that does not load, and what to do. */
const broken = (candidate: Package, error: unknown): string =>
  /native addon module .* can not be found/.test(reasonOf(error))
    ? `${candidate.name} is installed without its native part, because its install script did not run or had no network: run \`npm rebuild --ignore-scripts=false ${candidate.name}\`, or use the engine onnx.`
    : `${candidate.name} is installed but does not load (${reasonOf(error)}): run ${install(candidate)}, or use the engine onnx.`;
