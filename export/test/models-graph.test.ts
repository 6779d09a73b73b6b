/** Graph models written by hand, node by node, against sums worked out here and TF.js's results. */
import * as tf from '@tensorflow/tfjs-core';
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

  /** The two largest of four numbers, and their places. */
  const largest = (outputs: object) =>
    write(
      [
        placeholder('x', [-1, 4]),
        constant('k', 'DT_INT32'),
        node('t', 'TopKV2', ['x', 'k'], { T, sorted: { b: true } }),
      ],
      [{ name: 'k', shape: [], dtype: 'int32', values: [2] }],
      { inputs: { x: { name: 'x:0' } }, outputs },
    );

  test('give every output of a node that the signature names, and a tensor by two names', async () => {
    const names = { places: { name: 't:1' }, values: { name: 't:0' }, again: { name: 't:1' } };
    const converted = await convertModel(largest(names));
    expect(converted.outputs).toEqual(['places', 'values', 'again']);
    const session = await open(converted);
    const { values, places, again } = await session.run({
      x: float32([1, 4], Float32Array.of(3, 1, 9, 2)),
    });
    expect(Array.from(values?.data ?? [], Number)).toEqual([9, 3]);
    expect(Array.from(places?.data ?? [], Number)).toEqual([2, 0]);
    expect(Array.from(again?.data ?? [], Number)).toEqual([2, 0]);
    expect((await verifyModel(converted, (feeds) => session.run(feeds))).difference).toBe(0);
    await session.dispose();
  });

  test('give the shape of what they take at every batch', async () => {
    const file = write([placeholder('x', [-1, 4]), node('y', 'Shape', ['x'])]);
    const session = await open(await convertModel(file));
    for (const batch of [1, 3]) {
      const { y } = await session.run({ x: float32([batch, 4]) });
      expect(Array.from(y?.data ?? [], Number)).toEqual([batch, 4]);
    }
    await session.dispose();
  });

  test('are refused by node, with what to do, where they look words up in a table', async () => {
    const file = write(
      [
        placeholder('x', [2], 'DT_INT32'),
        node('table', 'HashTableV2', [], { key_dtype: T, value_dtype: T }),
        constant('other'),
        node('found', 'LookupTableFindV2', ['table', 'x', 'other'], {}),
        node('y', 'Relu', ['found']),
        node('z', 'Cast', ['x'], { SrcT: { type: 'DT_INT32' }, DstT: T }),
      ],
      [{ name: 'other', shape: [], dtype: 'float32', values: [0] }],
    );
    await expect(convertModel(file)).rejects.toThrow(
      /the node "found" \(LookupTableFindV2\): it looks words or numbers up in a table.*look them up before the model runs\. On it hangs y: --outputs z leaves that out, --input-shape found=SIZES begins the file after it\.$/,
    );
    const cut = await convertModel(file, { outputs: ['z'] });
    expect([...cut.inputs.keys()]).toEqual(['x']);
    const rest = await convertModel(file, { outputs: ['y'], inputShapes: { found: [2] } });
    expect([...rest.inputs.keys()]).toEqual(['found']);
    const whole = await convertModel(file, { outputs: ['z'], inputShapes: { z: [2] } });
    expect(whole.inputs.get('z')?.dtype).toBe('float32');
    const session = await open(rest);
    const { y } = await session.run({ found: float32([2], Float32Array.of(-1, 2)) });
    expect(Array.from(y?.data ?? [], Number)).toEqual([0, 2]);
    await session.dispose();
  });

  test('end at any node, and say which outputs there are if there is none of the name', async () => {
    const converted = await convertModel(twoHeads(), { outputs: ['product', 'plus'] });
    expect(converted.outputs).toEqual(['product', 'plus']);
    await expect(convertModel(twoHeads(), { outputs: ['nope'] })).rejects.toThrow(
      /has no output and no node "nope": its outputs are minus, plus\.$/,
    );
  });

  test('branch at export where the condition is an input that is fixed', async () => {
    const file = write(branching(placeholder('pred', [], 'DT_BOOL')));
    for (const [pred, op] of [
      [1, 'Neg'],
      [0, 'Abs'],
    ] as const) {
      const converted = await convertModel(file, { fix: { pred } });
      expect([...converted.inputs.keys()]).toEqual(['x']);
      const { operators } = inspectModel(converted.model.toBytes());
      expect(operators).toEqual({ [op]: 1, Relu: 1 });
    }
    await expect(convertModel(file, { fix: { y: 1 } })).rejects.toThrow(
      'The model has no input "y" to fix: it has "x", "pred".',
    );
    await expect(convertModel(twoHeads(), { fix: { image: 1 } })).rejects.toThrow(
      'The input "image" cannot be fixed, since the model leaves sizes of it open: [?, 4].',
    );
  });

  /** x · 2 + a draw for each of its numbers. */
  const drawing = (op: string) =>
    write([
      placeholder('x', [-1, 4]),
      node('shape', 'Shape', ['x']),
      node('draw', op, ['shape'], { T: { type: 'DT_INT32' }, dtype: T }),
      node('twice', 'AddV2', ['x', 'x']),
      node('y', 'AddV2', ['twice', 'draw']),
    ]);

  test('take what they draw as an input, if that is asked for', async () => {
    for (const op of ['RandomStandardNormal', 'RandomUniform', 'TruncatedNormal']) {
      await expect(convertModel(drawing(op))).rejects.toThrow(
        /the node "draw" \(\w+\): it draws random numbers: --random input makes them an input/,
      );
      const converted = await convertModel(drawing(op), { random: 'input' });
      expect([...converted.inputs.values()].map(({ shape }) => shape)).toEqual([
        ['N', 4],
        ['N', 4],
      ]);
      const session = await open(converted);
      const [x, draw] = [wave([2, 4]), wave([2, 4], 3)];
      const { y } = await session.run({ x: float32([2, 4], x), draw: float32([2, 4], draw) });
      x.forEach((v, i) => {
        expect(Number(y?.data[i])).toBeCloseTo(2 * v + (draw[i] as number), 5);
      });
      expect((await verifyModel(converted, (feeds) => session.run(feeds))).difference).toBe(0);
      await session.dispose();
    }
  });

  /** Classes that are drawn by the logits x, [rows, 3]. */
  const choosing = () =>
    write(
      [
        placeholder('x', [-1, 3]),
        constant('count'),
        node('y', 'Multinomial', ['x', 'count'], { T, output_dtype: { type: 'DT_INT32' } }),
      ],
      [{ name: 'count', shape: [], dtype: 'int32', values: [400] }],
    );
  const LOGITS = Float32Array.of(0, 1, -1, -50, 0, -50);

  test('draw classes by numbers that are an input, or the engine’s', async () => {
    await expect(convertModel(choosing())).rejects.toThrow(/"y" \(Multinomial\): it draws random/);
    const by = await convertModel(choosing(), { random: 'input' });
    const session = await open(by);
    const numbers = Float32Array.from({ length: 800 }, (_, i) => (i % 400) / 400);
    const y = (
      await session.run({ x: float32([2, 3], LOGITS), 'y/uniform': float32([2, 400, 1], numbers) })
    )[by.outputs[0] as string];
    await session.dispose();
    // The oracle: of evenly spread numbers, each class has the share that softmax gives it.
    const shares = (list: ArrayLike<number | bigint>, row: number): number[] =>
      [0, 1, 2].map(
        (k) =>
          Array.from(list, Number).filter(
            (v, i) => v === k && i >= 400 * row && i < 400 * (row + 1),
          ).length / 400,
      );
    const softmax = (row: number): number[] => {
      const weights = Array.from(LOGITS.slice(3 * row, 3 * row + 3), Math.exp);
      return weights.map((w) => w / weights.reduce((a, b) => a + b));
    };
    for (const row of [0, 1]) {
      shares(y?.data as Int32Array, row).forEach((share, k) => {
        expect(Math.abs(share - (softmax(row)[k] as number))).toBeLessThan(1 / 200);
      });
    }
    const drawn = await convertModel(choosing(), { random: 'operator' });
    const engine = await open(drawn);
    const found = (await engine.run({ x: float32([2, 3], LOGITS) }))[drawn.outputs[0] as string];
    await engine.dispose();
    // Of 400 draws a share is off by 0.025 at most, two times in three.
    shares(found?.data as Int32Array, 0).forEach((share, k) => {
      expect(Math.abs(share - (softmax(0)[k] as number))).toBeLessThan(0.2);
    });
    expect(shares(found?.data as Int32Array, 1)).toEqual([0, 1, 0]);
  });

  test('leave draws to the engine, if that is asked for', async () => {
    const converted = await convertModel(drawing('RandomStandardNormal'), { random: 'operator' });
    const session = await open(converted);
    const rows = 500;
    const zeros = float32([rows, 4], new Float32Array(4 * rows));
    const runs = [await session.run({ x: zeros }), await session.run({ x: zeros })];
    const [first, second] = runs.map(({ y }) => Array.from(y?.data ?? [], Number)) as [
      number[],
      number[],
    ];
    expect(first).not.toEqual(second);
    const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length;
    // Of 2,000 draws the mean is off by 0.022, and the variance by 0.032, two times in three.
    expect(Math.abs(mean(first))).toBeLessThan(0.2);
    expect(Math.abs(mean(first.map((v) => v * v)) - 1)).toBeLessThan(0.3);
    await session.dispose();
    await expect(convertModel(drawing('TruncatedNormal'), { random: 'operator' })).rejects.toThrow(
      'make them an input, with --random input',
    );
  });

  test.each([
    ['Conv2D', 'NHWC'],
    ['Conv2D', 'NCHW'],
    ['_FusedConv2D', 'NHWC'],
  ])('convolve in groups by %s of %s images', async (op, layout) => {
    const first = layout === 'NCHW';
    const shape = first ? [1, 4, 5, 6] : [1, 5, 6, 4];
    const words = (...list: string[]) => ({ list: { s: list.map((s) => btoa(s)) } });
    const fused = op === '_FusedConv2D';
    const steps = { list: { i: first ? ['1', '1', '2', '2'] : ['1', '2', '2', '1'] } };
    const file = write(
      [
        placeholder('x', shape),
        constant('w'),
        constant('b'),
        node('y', op, fused ? ['x', 'w', 'b'] : ['x', 'w'], {
          T,
          strides: steps,
          dilations: { list: { i: ['1', '1', '1', '1'] } },
          padding: { s: btoa('SAME') },
          data_format: { s: btoa(layout) },
          ...(fused && { fused_ops: words('BiasAdd', 'Relu'), num_args: { i: '1' } }),
        }),
      ],
      [
        { name: 'w', shape: [3, 3, 2, 6], dtype: 'float32', values: wave([3, 3, 2, 6]) },
        { name: 'b', shape: [6], dtype: 'float32', values: wave([6], 2) },
      ],
    );
    const converted = await convertModel(file);
    const session = await open(converted);
    const values = wave(shape);
    const { y } = await session.run({ x: float32(shape, values) });
    const expected = tf.tidy(() => {
      const x = tf.tensor(values, shape);
      const last = (first ? tf.transpose(x, [0, 2, 3, 1]) : x) as tf.Tensor4D;
      const filter = tf.tensor4d(wave([3, 3, 2, 6]), [3, 3, 2, 6]);
      const filters = tf.split(filter, 2, 3) as tf.Tensor4D[];
      const parts = (tf.split(last, 2, 3) as tf.Tensor4D[]).map((part, i) =>
        tf.conv2d(part, filters[i] as tf.Tensor4D, 2, 'same'),
      );
      const z = tf.concat(parts, 3);
      const shown = fused ? tf.relu(tf.add(z, tf.tensor1d(wave([6], 2)))) : z;
      return Array.from((first ? tf.transpose(shown, [0, 3, 1, 2]) : shown).dataSync());
    });
    expected.forEach((v, i) => {
      expect(Number(y?.data[i])).toBeCloseTo(v, 5);
    });
    await session.dispose();
  });
});
