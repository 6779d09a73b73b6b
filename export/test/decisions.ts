/** Graph models whose results depend on decisions: each is run on values that decide differently. */
import { expect } from 'vitest';
import { convertModel, type HostTensors, inspectModel } from '../src/index.js';
import { constant, graphModel, type Node, type Weight } from './graph-files.js';
import { open, type scratch, writeModel } from './models-files.js';
import { expectClose } from './run.js';

export const INT = { type: 'DT_INT32' };
export const BOOL = { type: 'DT_BOOL' };

export const number = (
  name: string,
  value: number,
  dtype: Weight['dtype'] = 'float32',
): Weight => ({
  name,
  shape: [],
  dtype,
  values: [value],
});
export const numbers = (
  name: string,
  values: number[],
  dtype: Weight['dtype'] = 'int32',
): Weight => ({
  name,
  shape: [values.length],
  dtype,
  values,
});
export const TYPES = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };

export interface Model {
  readonly nodes: Node[];
  readonly weights?: Weight[];
  /** Functions of the graph's library. */
  readonly functions?: object[];
}

/** Converts, and compares with TF.js on each of the feeds; gives the operators of the file. */
export async function compared(
  folder: ReturnType<typeof scratch>,
  { nodes, weights = [], functions }: Model,
  feeds: readonly HostTensors[],
) {
  const constants = weights.map(({ name, dtype }) => constant(name, TYPES[dtype]));
  const artifacts = graphModel([...constants, ...nodes], weights);
  const modelTopology = {
    ...artifacts.modelTopology,
    ...(functions && { library: { function: functions } }),
  };
  const converted = await convertModel(writeModel(folder(), { ...artifacts, modelTopology }));
  expect(converted.notes).toEqual([]);
  const session = await open(converted);
  for (const feed of feeds) {
    const [ours, theirs] = [await session.run(feed), await converted.run(feed)];
    for (const name of converted.outputs) {
      const [a, e] = [ours[name], theirs[name]];
      if (!a || !e) throw new Error(`no output ${name}`);
      expectClose(
        { dims: a.shape, data: Array.from(a.data, Number) },
        { dims: e.shape, data: e.data },
        1e-6,
      );
    }
  }
  await session.dispose();
  converted.dispose();
  return inspectModel(converted.model.toBytes()).operators;
}

export const zero = number('zero', 0);
