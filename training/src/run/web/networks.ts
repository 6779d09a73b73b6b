/** The trained networks, as files: what `gpn-cli export` makes of the same checkpoint, without TF.js. */
import {
  Generator,
  type Images,
  type OpenOptions,
  openSession,
  type Session,
  type TensorData,
} from '@gpn/runtime';
import { makeCertificate, withModelInfo, withWeights } from '@gpn/runtime/write';
import type { Progress } from '../../checkpoint/checkpoint.js';
import type { State } from '../../engine/types.js';
import { pathsOf, type Role, trainedInfo } from '../../export/info.js';
import { measuredBy } from '../../export/measured.js';
import { type StepGraph, type StepInfo, stepGraph } from '../../export/step-file.js';
import { under } from '../../records.js';

/** Passes that measure the statistics of an average for a picture; an exported file takes more. */
const FEW_PASSES = 1;

/** A state of a training, with the step that made it. */
export interface Trained {
  /** The step's file. */
  readonly step: Uint8Array;
  readonly info: StepInfo;
  readonly state: State;
  readonly progress: Progress;
  /** How a session is opened that is needed once. */
  readonly open: OpenOptions;
  /** The session of a graph of the file that takes weights as inputs; it stays open. */
  readonly opened: (graph: StepGraph) => Promise<Session>;
}

/** A network as an .onnx file with its description and its certificate. */
export async function networkFile(trained: Trained, role: Role): Promise<Uint8Array> {
  const graph = await stepGraph(trained.step, role);
  const bytes = withWeights(graph, await weightsOf(trained, role));
  const info = infoOf(trained, role);
  const session = await openSession(bytes, { ...trained.open, label: info.name });
  try {
    return withModelInfo(bytes, { ...info, certificate: await makeCertificate(session, info) });
  } finally {
    await session.dispose();
  }
}

/**
 * Images of the generator as it is. Its weights are inputs, because onnxruntime-web 1.30 frees a session's
 * constants on WebGPU no earlier than the last session of the page: one with constants for each picture would
 * take more memory with each.
 * @param seed of the latents, which stay the same while it learns
 */
export async function drawImages(
  trained: Trained,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Images> {
  const weights = await weightsOf(trained, 'generator', FEW_PASSES);
  const opened = await trained.opened('generator');
  const session: Session = {
    ...opened,
    run: (feeds, fetch, signal) => opened.run({ ...weights, ...feeds }, fetch, signal),
  };
  const info = infoOf(trained, 'generator');
  return new Generator({ session, info, label: info.name }).sample({ count, seed });
}

const infoOf = ({ info, progress }: Trained, role: Role) =>
  trainedInfo(info.networks[role], info.recipe, progress, info.provenance);

/** The weights and running statistics of a network, as its graph names them. */
async function weightsOf(
  { info, state, progress, opened }: Trained,
  role: Role,
  passes?: number,
): Promise<Record<string, TensorData>> {
  const paths = pathsOf(state, role);
  const params = below(state, paths.params);
  const { statistics } = info;
  const { shares } = progress.dataset;
  const buffers =
    paths.averaged && statistics
      ? await measuredBy(await opened('statistics'), statistics, params, { shares, passes })
      : below(state, paths.buffers);
  return { ...under('params', params), ...under('buffers', buffers) };
}

const below = (state: State, path: string): State =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, tensor]) =>
      name.startsWith(`${path}/`) ? [[name.slice(path.length + 1), tensor] as const] : [],
    ),
  );
