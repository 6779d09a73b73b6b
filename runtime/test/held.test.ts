/** What a session holds on its device, on one that counts what it has to free. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { Tensor as OrtTensor } from 'onnxruntime-common';
import { expect, it } from 'vitest';
import { Held } from '../src/session/held.js';
import type { TensorData } from '../src/session/tensors.js';

/** A device that adds 1 to `x`, and keeps the result. */
function device() {
  const alive = new Set<number>();
  const values = new Map<unknown, number>();
  let made = 0;
  const session = {
    async run({ x }: Record<string, Tensor>) {
      const before = values.get(x) ?? Number((x as Tensor).data[0]);
      const number = made++;
      alive.add(number);
      const y = {
        ...{ type: 'float32', dims: [1], location: 'gpu-buffer' },
        getData: async () => Float32Array.of(before + 1),
        dispose: () => alive.delete(number),
      };
      values.set(y, before + 1);
      return { y };
    },
  } as unknown as InferenceSession;
  return { session, alive };
}

const x: TensorData = { dtype: 'float32', shape: [1], data: Float32Array.of(5) };

it('a run is fed what the last one left, which it keeps to be read; what came before is freed', async () => {
  const { session, alive } = device();
  const held = new Held();
  const step = async (from: TensorData) =>
    (await held.run(OrtTensor, session, { x: from }, ['y'])).y as TensorData;
  const read = async (tensor: TensorData) =>
    (await held.run(OrtTensor, session, { x: tensor }, ['x'])).x?.data;

  const first = await step(x);
  expect(first).toMatchObject({ shape: [1], data: new Float32Array(), held: 0 });
  const second = await step(first);
  const third = await step(second);
  expect([await read(second), await read(third)]).toEqual([Float32Array.of(7), Float32Array.of(8)]);
  expect([...alive]).toEqual([1, 2]);
  await expect(step(first)).rejects.toThrow(/is lost/);
  held.free();
  expect([...alive]).toEqual([]);
});
