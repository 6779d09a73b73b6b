/** Graph models written by hand, node by node, against sums worked out here and TF.js's results. */
import { describe, expect, test } from 'vitest';
import { convertModel, inspectModel, verifyModel } from '../src/index.js';
import {
  constant,
  graphModel,
  type Node,
  node,
  placeholder,
  sizes,
  T,
  type Weight,
} from './graph-files.js';
import { float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

const write = (...args: Parameters<typeof graphModel>) => writeModel(folder(), graphModel(...args));

const matrix: Weight = { name: 'w', shape: [4, 3], dtype: 'float32', values: wave([4, 3]) };

/** z is computed after y, but named first in the signature. */
const twoHeads = () =>
  write(
    [
      placeholder('x', [-1, 4]),
      constant('w'),
      node('product', 'MatMul', ['x', 'w'], {
        T,
        transpose_a: { b: false },
        transpose_b: { b: false },
      }),
      node('y', 'Relu', ['product']),
      node('z', 'Neg', ['y']),
    ],
    [matrix],
    {
      inputs: { image: { name: 'x:0', dtype: 'DT_FLOAT', tensorShape: sizes(-1, 4).shape } },
      outputs: { minus: { name: 'z:0' }, 'plus:0': { name: 'y:0' } },
    },
  );

describe('a converted graph model', () => {
  test('keep the names and the order of their signature, and a free batch', async () => {
    const converted = await convertModel(twoHeads());
    const { inputs, outputs } = inspectModel(converted.model.toBytes());
    expect(converted.kind).toBe('graph');
    expect(inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['N', 4] }]);
    expect(outputs).toEqual([
      { name: 'minus', dtype: 'float32', shape: ['N', 3] },
      { name: 'plus', dtype: 'float32', shape: ['N', 3] },
    ]);
    const session = await open(converted);
    for (const batch of [1, 5]) {
      const x = wave([batch, 4]);
      const expected = Array.from({ length: batch * 3 }, (_, i) => {
        const [row, column] = [Math.floor(i / 3), i % 3];
        const terms = [0, 1, 2, 3].map(
          (k) => (x[row * 4 + k] ?? 0) * (matrix.values[k * 3 + column] ?? 0),
        );
        return Math.max(
          0,
          terms.reduce((a, b) => a + b),
        );
      });
      const { plus, minus } = await session.run({ image: float32([batch, 4], x) });
      expected.forEach((v, i) => {
        expect(Number(plus?.data[i])).toBeCloseTo(v, 5);
        expect(Number(minus?.data[i])).toBeCloseTo(-v, 5);
      });
    }
    expect((await verifyModel(converted, (feeds) => session.run(feeds))).difference).toBeLessThan(
      1e-6,
    );
    await session.dispose();
  });

  test('are called by their tensors where there is no signature, numbers included', async () => {
    const file = write(
      [placeholder('7', [2, 3]), node('12', 'Relu', ['7']), node('3', 'Neg', ['12'])],
      [],
    );
    const { inputs, outputs } = inspectModel((await convertModel(file)).model.toBytes());
    expect(inputs.map(({ name }) => name)).toEqual(['7']);
    expect(outputs.map(({ name }) => name)).toEqual(['3']);
  });

  /** if (pred) then −x else |x|, by TF's old control flow. */
  const branching = (pred: Node): Node[] => [
    placeholder('x', [2, 3]),
    pred,
    node('choose', 'Switch', ['x', pred.name]),
    node('no', 'Abs', ['choose']),
    node('yes', 'Neg', ['choose:1']),
    node('both', 'Merge', ['no', 'yes'], { T, N: { i: '2' } }),
    node('out', 'Relu', ['both']),
  ];

  test('branch at export where the condition is a constant', async () => {
    const pred: Weight = { name: 'pred', shape: [], dtype: 'bool', values: [1] };
    const converted = await convertModel(write(branching(constant('pred', 'DT_BOOL')), [pred]));
    expect(inspectModel(converted.model.toBytes()).operators).toEqual({ Neg: 1, Relu: 1 });
    const session = await open(converted);
    const x = wave([2, 3]);
    const { out } = await session.run({ x: float32([2, 3], x) });
    expect(Array.from(out?.data ?? [], Number)).toEqual(Array.from(x, (v) => Math.max(0, -v)));
    await session.dispose();
  });

  test('are refused where they take text', async () => {
    const file = write([placeholder('text', [-1], 'DT_STRING'), node('y', 'Identity', ['text'])]);
    await expect(convertModel(file)).rejects.toThrow('The input "text"');
  });

  test('are refused where TF.js does not know an operation', async () => {
    const file = write([placeholder('x', [4]), node('y', 'Frobnicate', ['x'])]);
    await expect(convertModel(file)).rejects.toThrow(/cannot be exported: .*Frobnicate/);
  });

  test('may work for one batch only, which is then fixed, and said', async () => {
    const shape: Weight = { name: 'shape', shape: [2], dtype: 'int32', values: [2, 2] };
    const file = write(
      [
        placeholder('x', [-1, 4]),
        constant('shape', 'DT_INT32'),
        node('y', 'Reshape', ['x', 'shape'], { T, Tshape: { type: 'DT_INT32' } }),
      ],
      [shape],
    );
    const converted = await convertModel(file);
    expect(converted.notes).toHaveLength(1);
    expect(converted.notes[0]).toMatch(/^The batch is fixed at 1, .*2,2\.?\]?\.$/);
    expect(inspectModel(converted.model.toBytes()).inputs[0]?.shape).toEqual([1, 4]);
    await expect(convertModel(file, { inputShapes: { x: ['N', 4] } })).rejects.toThrow('2,2');
  });
});
