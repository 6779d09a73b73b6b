/** Gives an ONNX file its weights: inputs of its graph become constants. */
import { concat } from '../bytes.js';
import { delimited, textField, wholeField } from './encode.js';
import { fields } from './protobuf.js';

// Field numbers of ModelProto, GraphProto, ValueInfoProto and TensorProto (onnx.proto).
const GRAPH = 7;
const [INITIALIZER, INPUT] = [5, 11];
const INPUT_NAME = 1;
const [DIMS, DATA_TYPE, NAME, RAW_DATA] = [1, 2, 8, 9];
/** TensorProto.DataType.FLOAT. */
const FLOAT = 1;

/** A tensor, as sessions have it. */
interface Weights {
  readonly shape: readonly number[];
  readonly data: unknown;
}

/**
 * The same ONNX file with these tensors as constants, in the place of the inputs of their names.
 * @param weights float32 tensors by name
 * @throws Error if the graph has no input of one of the names, or a tensor is not float32
 */
export function withWeights(
  bytes: Uint8Array,
  weights: Readonly<Record<string, Weights>>,
): Uint8Array {
  const missing = new Set(Object.keys(weights));
  const parts: Uint8Array[] = [];
  for (const { number, start, content, end } of fields(bytes)) {
    if (number !== GRAPH) {
      parts.push(bytes.subarray(start, end));
      continue;
    }
    const kept: Uint8Array[] = [];
    for (const field of fields(bytes, content, end)) {
      const name = field.number === INPUT ? inputName(bytes, field.content, field.end) : '';
      if (!missing.delete(name)) kept.push(bytes.subarray(field.start, field.end));
    }
    const constants = Object.entries(weights).map(([name, tensor]) => constant(name, tensor));
    parts.push(delimited(GRAPH, [...kept, ...constants]));
  }
  const [unknown] = missing;
  if (unknown !== undefined) throw new Error(`The graph has no input "${unknown}"`);
  return concat(parts);
}

function inputName(bytes: Uint8Array, from: number, end: number): string {
  for (const { number, content, end: last } of fields(bytes, from, end)) {
    if (number === INPUT_NAME) return new TextDecoder().decode(bytes.subarray(content, last));
  }
  return '';
}

function constant(name: string, { shape, data }: Weights): Uint8Array {
  if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
  return delimited(INITIALIZER, [
    ...shape.map((size) => wholeField(DIMS, size)),
    wholeField(DATA_TYPE, FLOAT),
    textField(NAME, name),
    delimited(RAW_DATA, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
  ]);
}
