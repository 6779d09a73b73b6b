/** Tensors of the Open Inference Protocol, version 2: as JSON, or as bytes behind the JSON. */
import { product, type TensorData, type TensorInfo, UserError } from '@gpn/runtime';
import type { Answer, Facts, Input, Job, Output } from './jobs.js';

/** All models take and give float32. */
export const DATATYPE = 'FP32';
const BYTES = 4;

/** The header that says how long the JSON is which bytes follow. */
export const JSON_LENGTH = 'inference-header-content-length';

/** A tensor as metadata shows it: −1 for what a request decides. */
export const described = ({ name, shape }: TensorInfo) => ({
  name,
  datatype: DATATYPE,
  shape: shape.map((size) => (typeof size === 'number' ? size : -1)),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new UserError(`${what} must be an object.`);
}

function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UserError(`${what} must be a list.`);
}

/** @param length of the JSON in front of the bytes; undefined if all is JSON */
function parts(body: Uint8Array, length: string | undefined, most: number) {
  const end = length === undefined ? body.length : /^\d{1,15}$/.test(length) ? Number(length) : -1;
  if (end < 0 || end > body.length) {
    throw new UserError(
      `The header ${JSON_LENGTH} is ${length}, but the body has ${body.length} bytes.`,
    );
  }
  if (end > most) {
    throw new UserError(
      `The JSON has ${end} bytes, and at most ${most} are read: send the tensors as bytes.`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(0, end)));
  } catch {
    throw new UserError('The body is not JSON.');
  }
  return { json: objectOf(json, 'The body'), bytes: body.subarray(end) };
}

/** The shape of an input, checked against the network's. */
function shapeOf(value: unknown, { name, shape }: TensorInfo): number[] {
  const sizes = listOf(value, `The shape of "${name}"`) as number[];
  const fits =
    sizes.length === shape.length &&
    sizes.every(
      (size, axis) =>
        Number.isSafeInteger(size) &&
        size > 0 &&
        (typeof shape[axis] === 'string' || shape[axis] === size),
    );
  if (fits && Number.isSafeInteger(product(sizes))) return sizes;
  const wanted = shape.map((size) => (typeof size === 'string' ? 'any' : size)).join(', ');
  throw new UserError(`The input "${name}" must have the shape [${wanted}], not ${short(sizes)}.`);
}

/** A value of the user's, shortened, for a message. */
const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

/** Numbers of a list, which may be nested: the protocol allows both. */
function fromJson(value: unknown, name: string, shape: readonly number[]): Float32Array {
  let flat = listOf(value, `The data of "${name}"`);
  for (let depth = 1; depth < shape.length && flat.some(Array.isArray); depth++) {
    flat = flat.flat();
  }
  if (flat.length !== product(shape) || !flat.every((each) => typeof each === 'number')) {
    throw new UserError(
      `The data of "${name}" must be ${product(shape)} numbers, as its shape [${shape}] says.`,
    );
  }
  const data = Float32Array.from(flat as number[]);
  if (data.every(Number.isFinite)) return data;
  throw new UserError(`The data of "${name}" have a number that is too large for ${DATATYPE}.`);
}

/** Little-endian bytes, which may begin anywhere: a copy is aligned. */
const fromBytes = (bytes: Uint8Array): Float32Array =>
  new Float32Array(new Uint8Array(bytes).buffer);

/**
 * A request of the protocol as a job.
 *
 * @param length the value of the header `inference-header-content-length`
 * @param most bytes of JSON
 * @throws UserError that says which part of the request does not suit the model
 */
export function inferenceOf(
  model: Pick<Facts, 'name' | 'inputs' | 'outputs'>,
  body: Uint8Array,
  length: string | undefined,
  most: number,
): { job: Job<'infer'>; timeout?: number } {
  const { json, bytes } = parts(body, length, most);
  const given = listOf(json.inputs, '"inputs"').map((input) => objectOf(input, 'An input'));
  let at = 0;
  const inputs = given.map((input): Input => {
    const info = model.inputs.find(({ name }) => name === input.name);
    if (info === undefined) {
      const names = model.inputs.map(({ name }) => `"${name}"`).join(', ');
      throw new UserError(`${model.name} has no input ${short(input.name)}: it takes ${names}.`);
    }
    if (input.datatype !== DATATYPE) {
      throw new UserError(
        `The input "${info.name}" must be of the datatype ${DATATYPE}, not ${short(input.datatype)}.`,
      );
    }
    const shape = shapeOf(input.shape, info);
    const size = isObject(input.parameters) ? input.parameters.binary_data_size : undefined;
    if (size === undefined)
      return { name: info.name, shape, data: fromJson(input.data, info.name, shape) };
    if (size !== BYTES * product(shape) || at + size > bytes.length) {
      throw new UserError(
        `The input "${info.name}" of the shape [${shape}] needs ${BYTES * product(shape)} bytes: ` +
          `binary_data_size is ${short(size)}, and ${bytes.length - at} bytes follow.`,
      );
    }
    const data = fromBytes(bytes.subarray(at, at + size));
    at += size;
    return { name: info.name, shape, data };
  });
  if (at !== bytes.length) {
    throw new UserError(`${bytes.length - at} bytes at the end belong to no input.`);
  }
  checkAll(model, inputs);
  const parameters = isObject(json.parameters) ? json.parameters : {};
  const { id } = json;
  const timeout = parameters.timeout; // in microseconds, as Triton has it
  return {
    job: {
      kind: 'infer',
      inputs,
      outputs: outputsOf(model, json.outputs, parameters.binary_data_output === true),
      ...(typeof id === 'string' && { id: id.slice(0, 1000) }),
    },
    ...(typeof timeout === 'number' && timeout > 0 && { timeout: timeout / 1000 }),
  };
}

function checkAll(model: Pick<Facts, 'name' | 'inputs'>, inputs: readonly Input[]): void {
  const names = inputs.map(({ name }) => name);
  const missing = model.inputs.filter(({ name }) => !names.includes(name));
  if (missing.length > 0) {
    throw new UserError(`${model.name} needs the input "${missing[0]?.name}" as well.`);
  }
  if (new Set(names).size < names.length) {
    throw new UserError('An input is given twice.');
  }
  const [first] = inputs;
  const other = inputs.find(({ shape }) => shape[0] !== first?.shape[0]);
  if (other) {
    throw new UserError(
      `The input "${other.name}" has ${other.shape[0]} rows, and "${first?.name}" ${first?.shape[0]}.`,
    );
  }
}

function outputsOf(
  { name, outputs }: Pick<Facts, 'name' | 'outputs'>,
  asked: unknown,
  binary: boolean,
): Output[] {
  if (asked === undefined) return outputs.map((output) => ({ name: output.name, binary }));
  const given = listOf(asked, '"outputs"').map((output) => objectOf(output, 'An output'));
  if (given.length === 0) return outputsOf({ name, outputs }, undefined, binary);
  if (new Set(given.map((output) => output.name)).size < given.length) {
    throw new UserError('An output is asked for twice.');
  }
  return given.map((output) => {
    const known = outputs.find((each) => each.name === output.name);
    if (known === undefined) {
      const names = outputs.map((each) => `"${each.name}"`).join(', ');
      throw new UserError(`${name} has no output ${short(output.name)}: it gives ${names}.`);
    }
    const own = isObject(output.parameters) ? output.parameters : {};
    if (own.classification !== undefined) {
      throw new UserError('The parameter "classification" is not supported.');
    }
    const told = own.binary_data;
    return { name: known.name, binary: typeof told === 'boolean' ? told : binary };
  });
}

/** @throws UserError if one of them is none in JSON */
function numbers(name: string, data: Float32Array): number[] {
  if (data.every(Number.isFinite)) return Array.from(data);
  throw new UserError(
    `The output "${name}" has a value that is no number in JSON: ask for it as bytes.`,
  );
}

/** The response of the protocol. */
export function inferenceAnswer(
  model: string,
  { outputs, id }: Pick<Job<'infer'>, 'outputs' | 'id'>,
  results: Readonly<Record<string, TensorData>>,
): Answer {
  const tail: Uint8Array[] = [];
  const json = {
    model_name: model,
    model_version: VERSION,
    ...(id !== undefined && { id }),
    outputs: outputs.map(({ name, binary }) => {
      const { shape, data } = results[name] as TensorData<'float32'>;
      const tensor = { name, datatype: DATATYPE, shape };
      if (!binary) return { ...tensor, data: numbers(name, data) };
      tail.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return { ...tensor, parameters: { binary_data_size: data.byteLength } };
    }),
  };
  const head = new TextEncoder().encode(JSON.stringify(json));
  if (tail.length === 0) return { type: 'application/json', body: head };
  const body = new Uint8Array(Buffer.concat([head, ...tail]));
  return { type: 'application/octet-stream', body, json: head.length };
}

/** The version of each model: a server has one. */
export const VERSION = '1';
