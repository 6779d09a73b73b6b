/** Training steps as one graph, run by ONNX Runtime. */
import { flatten, isSpec, type Tensors, TIMES } from '@gpn/export/trace';
import { openSession, processors, product, threadsNote } from '@gpn/runtime';
import { SessionStep } from './session-step.js';
import { stateNames } from './state.js';
import { repeatedBytes, traceStep } from './traced.js';
import type { CompiledStep, CompileOptions, StepInputs, StepOutputs } from './types.js';

/**
 * Number of floating-point operations below which a step runs on one thread: dividing so little work
 * costs more than it saves, and the thread that prepares the feeds needs a processor too. Measured on
 * two processors: GPN's discriminator (8 million) takes 0.5 to 0.8 ms on one thread and 1.0 to 1.2 ms
 * on two; gan-zeros (120 million) takes 2.6 ms and 2.4 ms.
 */
const SMALL_STEP = 20e6;
/** Operations that take about as long as reading and writing one number of the state. */
const PER_NUMBER = 50;

/**
 * Number of threads that pays off for a step on the device cpu.
 * @param flops floating-point operations of the step's matrix products and convolutions
 */
export function threadsFor(flops: number, { state }: StepInputs): number {
  const shapes = flatten(state, isSpec, 'state').map(({ leaf }) => leaf.shape as number[]);
  const numbers = shapes.reduce((sum, shape) => sum + product(shape), 0);
  return flops + PER_NUMBER * numbers < SMALL_STEP ? 1 : processors();
}

/**
 * Traces a training step and opens a session for it.
 * @param step a pure function of TF.js tensors
 * @param inputs shapes and types of all its inputs
 * @throws UserError if the device cannot be used
 */
export async function compile<S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  { name, flops = Number.POSITIVE_INFINITY, ...options }: CompileOptions = {},
): Promise<CompiledStep> {
  const model = traceStep(step, inputs, name);
  const names = stateNames(inputs);
  const bytes = repeatedBytes(model, names);
  const threads = options.threads ?? threadsFor(flops, inputs);
  const session = await openSession(bytes, { label: 'The training step', ...options, threads });
  const { device } = session;
  const rounding = /^(cpu|wasm)$/.test(device) ? `${device}, ${threadsNote(threads)}` : device;
  return new SessionStep(session, { names, times: TIMES, rounding });
}
