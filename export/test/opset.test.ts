/** The opset that a file says: the oracle is ONNX Runtime, which checks every operator against it. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs-core';
import { ModelProtoSchema } from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { FIRST_OPSET, irVersionOf, LAST_OPSET } from '../src/graph/opset.js';
import { ExportError, inspectModel, type OnnxModel, spec, trace } from '../src/index.js';
import type { Case } from './cases/case.js';
import { FAMILIES } from './cases/index.js';
import { traced } from './run.js';

const opsetIn = (model: OnnxModel): number => inspectModel(model.toBytes()).opset;

/** The same bytes, but for the opset. */
function stamped(bytes: Uint8Array, opset: number): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  for (const imported of model.opsetImport) imported.version = BigInt(opset);
  return toBinary(ModelProtoSchema, model);
}

/** What ONNX Runtime says against a file; undefined if it loads it. */
async function refusal(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const options = { logSeverityLevel: 4, intraOpNumThreads: 1 } as const;
    await (await ort.InferenceSession.create(bytes, options)).release();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const cases = Object.values(FAMILIES).flatMap((c): [string, Case][] => Object.entries(c));

describe('the opset of a file', () => {
  it('is the lowest that ONNX Runtime takes, for every case of every lowering', async () => {
    const wrong: string[] = [];
    for (const [name, { fn, inputs }] of cases) {
      const bytes = traced(fn, inputs).toBytes();
      const { opset } = inspectModel(bytes);
      const told = await refusal(bytes);
      if (told) wrong.push(`${name}: opset ${opset} is refused: ${told}`);
      if (opset > FIRST_OPSET && !(await refusal(stamped(bytes, opset - 1))))
        wrong.push(`${name}: opset ${opset - 1} would do, ${opset} is written`);
    }
    expect(wrong).toEqual([]);
  });

  it('can be any newer one, for every case', async () => {
    const wrong: string[] = [];
    for (const [name, { fn, inputs }] of cases) {
      const model = trace(
        ({ x }) => ({ y: [(fn as (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[])(...x)].flat() }),
        { x: inputs.map((v) => spec(v.shape, v.dtype)) },
        { opset: LAST_OPSET },
      );
      expect(opsetIn(model)).toBe(LAST_OPSET);
      const told = await refusal(model.toBytes());
      if (told) wrong.push(`${name}: ${told}`);
    }
    expect(wrong).toEqual([]);
  });

  it('is 13 for a dense network with a mean, and 18 if that is asked for', async () => {
    const fn = ({ x }: { x: tf.Tensor }) => ({ y: tf.mean(tf.relu(x as tf.Tensor2D), 1) });
    const inputs = { x: spec(['N', 3]) };
    for (const [opset, ir] of [
      [undefined, 7],
      [17, 8],
      [18, 8],
      [20, 9],
    ] as const) {
      const bytes = trace(fn, inputs, { opset }).toBytes();
      expect(inspectModel(bytes)).toMatchObject({ opset: opset ?? 13, irVersion: ir });
      const session = await ort.InferenceSession.create(bytes);
      const x = new ort.Tensor('float32', Float32Array.of(1, 2, 6, -1, 0, 1.5), [2, 3]);
      const { y } = await session.run({ x });
      expect(Array.from(y?.data as Float32Array)).toEqual([3, 0.5]);
    }
  });

  it('is 13 if that is asked for, where an operator has an older form or another says the same', async () => {
    const fn = ({ x }: { x: tf.Tensor }) => ({
      sizes: tf.tensor1d(x.shape, 'int32'),
      means: tf.mean(x, 1),
      positive: tf.relu(tf.cast(x, 'int32')),
    });
    for (const opset of [13, 14, 15, 17, 18, 20]) {
      const bytes = trace(fn, { x: spec(['N', 3]) }, { opset }).toBytes();
      expect(inspectModel(bytes).opset).toBe(opset);
      const session = await ort.InferenceSession.create(bytes);
      const x = new ort.Tensor('float32', Float32Array.of(1, 2, 6, -1, 0, 1), [2, 3]);
      const { sizes, means, positive } = await session.run({ x });
      expect(Array.from(sizes?.data as Int32Array)).toEqual([2, 3]);
      expect(Array.from(means?.data as Float32Array)).toEqual([3, 0]);
      expect(Array.from(positive?.data as Int32Array)).toEqual([1, 2, 6, 0, 0, 1]);
      await session.release();
    }
  });

  it('is refused, by a sentence, if the graph’s operators do not have it or no file does', () => {
    const fn = ({ x }: { x: tf.Tensor }) => ({
      y: tf.engine().runKernel('BitwiseAnd', { a: x, b: x }) as tf.Tensor,
    });
    const at = (opset: number) => () => trace(fn, { x: spec([2], 'int32') }, { opset }).toBytes();
    expect(at(17)).toThrow(ExportError);
    expect(at(17)).toThrow(
      'Opset 17 is too low for this graph: its operator BitwiseAnd needs opset 18.',
    );
    expect(at(12)).toThrow('Opset 12 is too low: files are written with an opset from 13 to 24.');
    expect(at(25)).toThrow('Opset 25 is too high: files are written with an opset from 13 to 24.');
    expect(at(18.5)).toThrow('Opset 18.5 is not one');
    expect(opsetIn(trace(fn, { x: spec([2], 'int32') }))).toBe(18);
  });

  it('goes with the IR version that came with it', () => {
    // onnx.helper.VERSION_TABLE of onnx 1.23: the release of each opset and its IR version.
    const golden = [7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12];
    expect(golden.map((_, i) => irVersionOf(13 + i))).toEqual(golden);
  });
});

it('a reshaped value keeps the names of its free sizes in the file', () => {
  const model = trace(({ x }) => ({ y: tf.relu(tf.reshape(x as tf.Tensor, [-1, 2, 2])) }), {
    x: spec(['N', 4]),
  });
  const { graph } = fromBinary(ModelProtoSchema, model.toBytes());
  const shapes = graph?.valueInfo.map(({ type }) =>
    type?.value.case === 'tensorType'
      ? type.value.value.shape?.dim.map(({ value }) => `${value.value}`)
      : [],
  );
  expect(shapes).toEqual([['N', '2', '2']]);
});
