// What a hostile graph asks for, from the built files: the worker is a process of its own.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { afterEach, describe, expect, it } from 'vitest';
import { STRICT } from '../src/format/limits.js';
import { checkPolicy } from '../src/format/onnx/policy.js';
import type * as Runtime from '../src/node/index.js';
import { sentence } from './helpers.js';
import { elsewhere, endless, external, graph, greedy } from './hostile-models.js';
import { constant, node } from './onnx.js';
import { generatorFile } from './tiny.js';

const built = new URL('../dist/node/index.js', import.meta.url).href;
const { Generator, openSession }: typeof Runtime = await import(/* @vite-ignore */ built);

describe('a graph', () => {
  it('with weights in another file is refused, wherever they are', async () => {
    const inAttribute = node('Constant', [], ['w']);
    inAttribute.attribute.push(
      create(AttributeProtoSchema, {
        name: 'value',
        type: AttributeProto_AttributeType.TENSOR,
        t: external(),
      }),
    );
    const within = node('If', ['c'], ['w']);
    within.attribute.push(
      create(AttributeProtoSchema, {
        name: 'then_branch',
        type: AttributeProto_AttributeType.GRAPH,
        g: create(GraphProtoSchema, { initializer: [external()] }),
      }),
    );
    for (const bytes of [elsewhere(), graph([inAttribute], []), graph([within], [])]) {
      expect(await sentence(Promise.resolve().then(() => checkPolicy(bytes, 'm.onnx')))).toMatch(
        /^m\.onnx is refused: its weights lie in another file/,
      );
    }
  });

  it('whose constants ask for more than the memory is refused before it runs', async () => {
    const much = (op: string, inputs: string[]) =>
      graph([node(op, inputs, ['image'])], [constant('s', [2], [2 ** 20, 2 ** 20], 'int64')]);
    for (const bytes of [much('ConstantOfShape', ['s']), much('Expand', ['z', 's'])]) {
      expect(() => checkPolicy(bytes, 'm.onnx')).toThrow(
        /would take more than 8,192 MiB of memory/,
      );
    }
    const tensor = create(TensorProtoSchema, {
      name: 'w',
      dims: [2n ** 40n],
      dataType: TensorProto_DataType.FLOAT,
    });
    expect(() => checkPolicy(elsewhere(tensor), 'm.onnx')).toThrow(/a tensor would take more/);
    const pads = node('ConvTranspose', ['z', 'w'], ['image'], { output_padding: 100_000_000 });
    expect(() => checkPolicy(graph([pads], []), 'm.onnx')).toThrow(/attribute of ConvTranspose is/);
  });

  it('is held to the operators of the strict limits, which the bundled models pass', async () => {
    expect(() => checkPolicy(endless(), 'm.onnx', STRICT)).toThrow(/the operator Loop is not/);
    expect(() => checkPolicy(endless(), 'm.onnx')).not.toThrow();
    const { findPretrained, pretrainedModels } = await import('@gpn/models/pretrained');
    const { readFileSync } = await import('node:fs');
    for (const { name } of pretrainedModels()) {
      const { path } = findPretrained(name) as { path: string };
      expect(() => checkPolicy(readFileSync(path), name, STRICT)).not.toThrow();
    }
  });

  it('that is nested without end is refused', () => {
    const deep = (depth: number): ReturnType<typeof node> => {
      const made = node('If', ['c'], ['y']);
      if (depth === 0) return made;
      const g = create(GraphProtoSchema, { node: [deep(depth - 1)] });
      made.attribute.push(
        create(AttributeProtoSchema, { type: AttributeProto_AttributeType.GRAPH, g }),
      );
      return made;
    };
    expect(() => checkPolicy(graph([deep(40)], []), 'm.onnx')).toThrow(/nested too deeply/);
  });
});

/** The message of an error of the built package, whose class is not that of the sources. */
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = (await work.then(
    () => undefined,
    (e: unknown) => e,
  )) as Error;
  expect(error?.name).toBe('UserError');
  return error.message;
};

/** The processes that this one has started for models. */
const workers = (): string[] =>
  existsSync('/proc')
    ? execFileSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,args='], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => /runtime.dist.node.worker\.js/.test(line))
    : [];

describe('a model in a worker', () => {
  afterEach(async () => {
    await expect.poll(workers).toEqual([]);
  });

  it('that never returns is ended at its limit of time', async () => {
    const limits = { time: 1500 };
    const generator = await Generator.load(endless(), { device: 'cpu', limits });
    expect(await refusal(generator.sample({ count: 1 }))).toBe(
      'The model was stopped: it took longer than 1.5 s, its limit of time.',
    );
    await generator.dispose();
  });

  it('that never returns ends with its abort, and the other models of its worker go on', async () => {
    const other = await Generator.load(generatorFile(), { device: 'cpu', worker: true });
    const before = await other.sample({ count: 3 });
    const generator = await Generator.load(endless(), { device: 'cpu', worker: true });
    const abort = new AbortController();
    const reason = new Error('enough');
    const drawing = generator.sample({ count: 1, signal: abort.signal });
    const waiting = other.sample({ count: 3 });
    setTimeout(() => abort.abort(reason), 300);
    await expect(drawing).rejects.toBe(reason);
    expect((await waiting).data).toEqual(before.data);
    expect((await other.sample({ count: 3 })).data).toEqual(before.data);
    await generator.dispose();
    await other.dispose();
  });

  it('that takes more memory than its limit is ended', async () => {
    const limits = { memory: 2 ** 30 };
    const drawing = async () => {
      const generator = await Generator.load(greedy(32), { device: 'cpu', threads: 1, limits });
      try {
        await generator.sample({ count: 1 });
      } finally {
        await generator.dispose();
      }
    };
    expect(await refusal(drawing())).toBe(
      'The model was stopped: it needs more than 1,024 MiB, its limit of memory.',
    );
  });

  it('draws the same with limits as without', async () => {
    const here = await Generator.load(generatorFile(), { device: 'cpu' });
    const there = await Generator.load(generatorFile(), { device: 'cpu', limits: STRICT });
    expect((await there.sample({ count: 5 })).data).toEqual((await here.sample({ count: 5 })).data);
    await here.dispose();
    await there.dispose();
  });

  it('is not opened if it is refused', async () => {
    expect(await refusal(openSession(elsewhere(), { worker: true }))).toMatch(/refused/);
  });
});
