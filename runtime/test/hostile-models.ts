// Generators that take all memory, never return, or want another file.
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { withModelInfo } from '../src/format/model-info.js';
import { constant, model, node, value } from './onnx.js';
import { GENERATOR, LATENT } from './tiny.js';

export const graph = (nodes: ReturnType<typeof node>[], constants: ReturnType<typeof constant>[]) =>
  withModelInfo(
    model({
      inputs: [value('z', ['N', LATENT])],
      outputs: [value('image', ['N', 2, 3, 1])],
      nodes,
      constants,
    }),
    GENERATOR,
  );

/** A weight whose values are said to lie in another file. */
export const external = () =>
  create(TensorProtoSchema, {
    name: 'w',
    dims: [4n, 6n],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [create(StringStringEntryProtoSchema, { key: 'location', value: 'secret.bin' })],
  });

/** A generator with such a weight. */
export const elsewhere = (weight = external()) =>
  graph(
    [node('MatMul', ['z', 'w'], ['flat']), node('Reshape', ['flat', 'shape'], ['image'])],
    [weight, constant('shape', [4], [-1, 2, 3, 1], 'int64')],
  );

/** image = tanh(z W) + the largest of a tensor of 2^shift floats, whose size a constant says. */
export const greedy = (shift: number) =>
  graph(
    [
      node('MatMul', ['z', 'w'], ['flat']),
      node('ReduceMean', ['z'], ['one']),
      node('Mul', ['size', 'ones'], ['hidden']),
      node('Expand', ['one', 'hidden'], ['much']),
      node('ReduceMax', ['much'], ['most'], { keepdims: 0 }),
      node('Add', ['flat', 'most'], ['sum']),
      node('Reshape', ['sum', 'shape'], ['image']),
    ],
    [
      constant('w', [LATENT, 6], Array(24).fill(0)),
      constant('size', [2], [2 ** (shift - 10), 2 ** 10], 'int64'),
      constant('ones', [2], [1, 1], 'int64'),
      constant('shape', [4], [-1, 2, 3, 1], 'int64'),
    ],
  );

/** image = tanh(z W), after a loop that never ends. */
export function endless(): Uint8Array {
  const body = create(GraphProtoSchema, {
    name: 'body',
    input: [value('i', [], 'int64'), value('on', [], 'bool'), value('x', ['N', 6])],
    output: [value('on2', [], 'bool'), value('x2', ['N', 6])],
    node: [node('Identity', ['on'], ['on2']), node('Tanh', ['x'], ['x2'])],
  });
  const loop = node('Loop', ['most', 'go', 'flat'], ['squashed']);
  loop.attribute.push(
    create(AttributeProtoSchema, {
      name: 'body',
      type: AttributeProto_AttributeType.GRAPH,
      g: body,
    }),
  );
  const go = create(TensorProtoSchema, {
    name: 'go',
    dims: [],
    dataType: TensorProto_DataType.BOOL,
    int32Data: [1],
  });
  return graph(
    [node('MatMul', ['z', 'w'], ['flat']), loop, node('Reshape', ['squashed', 'shape'], ['image'])],
    [
      constant('w', [LATENT, 6], Array(24).fill(0.1)),
      constant('most', [], [Number.MAX_SAFE_INTEGER], 'int64'),
      go,
      constant('shape', [4], [-1, 2, 3, 1], 'int64'),
    ],
  );
}
