// Builds small ONNX files for the tests.
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';

type Shape = (number | string)[];

const TYPES = {
  float32: TensorProto_DataType.FLOAT,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  bool: TensorProto_DataType.BOOL,
  uint8: TensorProto_DataType.UINT8,
};

export const value = (name: string, shape: Shape, type: keyof typeof TYPES = 'float32') =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, {
          elemType: TYPES[type],
          shape: create(TensorShapeProtoSchema, {
            dim: shape.map((size) =>
              create(TensorShapeProto_DimensionSchema, {
                value:
                  typeof size === 'string'
                    ? { case: 'dimParam', value: size }
                    : { case: 'dimValue', value: BigInt(size) },
              }),
            ),
          }),
        }),
      },
    }),
  });

export const node = (
  opType: string,
  input: string[],
  output: string[],
  ints: Record<string, number> = {},
) =>
  create(NodeProtoSchema, {
    opType,
    input,
    output,
    attribute: Object.entries(ints).map(([name, i]) =>
      create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(i) }),
    ),
  });

export const constant = (name: string, dims: number[], data: number[], type = 'float32') =>
  create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    ...(type === 'int64'
      ? { dataType: TYPES.int64, int64Data: data.map(BigInt) }
      : { dataType: TYPES.float32, floatData: data }),
  });

export interface Graph {
  inputs: ReturnType<typeof value>[];
  outputs: ReturnType<typeof value>[];
  nodes: ReturnType<typeof node>[];
  constants?: ReturnType<typeof constant>[];
  metadata?: Record<string, string>;
}

export const model = ({ inputs, outputs, nodes, constants = [], metadata = {} }: Graph) =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 9n,
      producerName: 'test',
      opsetImport: [create(OperatorSetIdProtoSchema, { version: 20n })],
      graph: create(GraphProtoSchema, {
        name: 'test',
        input: inputs,
        output: outputs,
        node: nodes,
        initializer: constants,
      }),
      metadataProps: Object.entries(metadata).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    }),
  );
