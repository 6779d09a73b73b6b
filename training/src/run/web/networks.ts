/** The trained networks, as files: what `gpn-cli export` makes of the same checkpoint, without TF.js. */
import {
  Generator,
  type Images,
  type OpenOptions,
  openSession,
  type TensorData,
} from '@gpn/runtime';
import { makeCertificate, withModelInfo, withWeights } from '@gpn/runtime/write';
import type { Progress } from '../../checkpoint/checkpoint.js';
import type { State } from '../../engine/types.js';
import { pathsOf, type Role, trainedInfo } from '../../export/info.js';
import { measuredBy } from '../../export/measured.js';
import { type StepInfo, stepGraph } from '../../export/step-file.js';
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
  /** How its sessions are opened. */
  readonly open: OpenOptions;
}

/** A network as an .onnx file with its description and its certificate. */
export async function networkFile(trained: Trained, role: Role): Promise<Uint8Array> {
  const { bytes, info } = await networkOf(trained, role);
  const session = await openSession(bytes, { ...trained.open, label: info.name });
  try {
    return withModelInfo(bytes, { ...info, certificate: await makeCertificate(session, info) });
  } finally {
    await session.dispose();
  }
}

/** Images of the generator as it is. @param seed of the latents, which stay the same while it learns */
export async function drawImages(
  trained: Trained,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Images> {
  const { bytes, info } = await networkOf(trained, 'generator', FEW_PASSES);
  const generator = await Generator.load(withModelInfo(bytes, info), trained.open);
  try {
    return await generator.sample({ count, seed });
  } finally {
    await generator.dispose();
  }
}

async function networkOf(trained: Trained, role: Role, passes?: number) {
  const { step, info, progress } = trained;
  const weights = await weightsOf(trained, role, passes);
  return {
    bytes: withWeights(await stepGraph(step, role), weights),
    info: trainedInfo(info.networks[role], info.recipe, progress, info.provenance),
  };
}

/** The weights and running statistics of a network, as its graph names them. */
async function weightsOf(
  { step, info, state, progress, open }: Trained,
  role: Role,
  passes: number | undefined,
): Promise<Record<string, TensorData>> {
  const paths = pathsOf(state, role);
  const params = below(state, paths.params);
  const { statistics } = info;
  const { shares } = progress.dataset;
  if (!paths.averaged || !statistics) {
    return { ...under('params', params), ...under('buffers', below(state, paths.buffers)) };
  }
  const session = await openSession(await stepGraph(step, 'statistics'), open);
  try {
    const measured = await measuredBy(session, statistics, params, { shares, passes });
    return { ...under('params', params), ...under('buffers', measured) };
  } finally {
    await session.dispose();
  }
}

const below = (state: State, path: string): State =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, tensor]) =>
      name.startsWith(`${path}/`) ? [[name.slice(path.length + 1), tensor] as const] : [],
    ),
  );
