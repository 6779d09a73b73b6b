/**
 * The safetensors format: the header's length as a little-endian uint64, a JSON header, the bytes
 * of the tensors one after the other. https://huggingface.co/docs/safetensors
 *
 * The writer matches the reference implementation byte for byte, so equal tensors give equal files.
 * The reader is as strict as the reference: each byte belongs to exactly one tensor. Typed arrays are
 * assumed to be little-endian, as on every platform of Node. Pages read and write the format too, so
 * this file knows nothing of Node; `safetensors-file.ts` does.
 */
import { product, UserError } from '@gpn/runtime';

/** In the order in which the reference implementation stores tensors, which keeps them aligned. */
const DTYPES = {
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
  /** 0 and 1. */
  BOOL: Uint8Array,
};

/** The typed array of each dtype. */
interface Values {
  I64: BigInt64Array;
  F32: Float32Array;
  I32: Int32Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

/** The data types that are supported. */
export type Dtype = keyof Values;

/** A tensor; `data` holds the product of `shape` values, row by row. */
export type StoredTensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: Values[D] };
}[Dtype];

/** The contents of a file. */
export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

const dtypes = Object.keys(DTYPES) as Dtype[];
const METADATA = '__metadata__';
/** Bytes; the limit of the reference implementation. */
const MAX_HEADER = 100_000_000;

/** Encodes a file. Equal tensors and metadata give equal bytes, whatever the order of the map. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      dtypes.indexOf(a.dtype) - dtypes.indexOf(b.dtype) || compareBytes(nameA, nameB),
  );
  const header: [string, string][] = Object.keys(metadata).length
    ? [[METADATA, jsonObject(Object.entries(metadata).map(([k, v]) => [k, JSON.stringify(v)]))]]
    : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === METADATA || data.length !== product(shape)) {
      throw new Error(`Tensor ${name} of shape [${shape}] with ${data.length} values`);
    }
    const begin = end;
    end += data.byteLength;
    header.push([name, JSON.stringify({ dtype, shape, data_offsets: [begin, end] })]);
  }
  const json = utf8(jsonObject(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + end).fill(SPACE, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  let at = 8 + padded;
  for (const [, { data }] of sorted) {
    bytes.set(bytesOf(data), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * All that a file says, in pieces, whatever the order it is written in: the metadata, and the name,
 * dtype, shape and bytes of each tensor. Their SHA-256 is the checksum of a checkpoint.
 */
export function* contentOf({ tensors, metadata }: SafetensorsFile): Generator<Uint8Array> {
  const byName = <T>(entries: Iterable<[string, T]>) =>
    [...entries].sort(([a], [b]) => compareBytes(a, b));
  yield utf8(JSON.stringify(byName(Object.entries(metadata))));
  for (const [name, { dtype, shape, data }] of byName(tensors)) {
    yield utf8(JSON.stringify([name, dtype, shape]));
    yield bytesOf(data);
  }
}

const SPACE = 0x20;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Compares UTF-8 bytes, as Rust does. JavaScript's own comparison of UTF-16 units differs. */
function compareBytes(a: string, b: string): number {
  const [x, y] = [utf8(a), utf8(b)];
  const at = x.findIndex((byte, i) => byte !== y[i]);
  return at < 0 ? x.length - y.length : (x[at] as number) - (y[at] ?? -1);
}

/** JSON of an object with its keys in the given order; JavaScript objects put integers first. */
const jsonObject = (entries: [key: string, json: string][]) =>
  `{${entries.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;

/** Where a tensor is in a file, and what it is. */
interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

/**
 * Decodes the bytes of a file. The tensors are copies.
 *
 * @param file the name of the file, for errors
 *
 * @throws UserError if the bytes are malformed or contain a dtype other than {@link Dtype}
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const fail: Fail = (what) => {
    throw new UserError(`${file} is not a usable safetensors file: ${what}.`);
  };
  const { header, body } = split(bytes, fail);
  const metadata = header.get(METADATA) ?? {};
  if (!isTexts(metadata)) return fail(`its ${METADATA} is not an object of strings`);
  header.delete(METADATA);

  const entries = [...header].map(([name, value]): [string, Entry] => {
    const fault = faultOf(value);
    return fault ? fail(`its entry of ${name} is wrong (${fault})`) : [name, value as Entry];
  });
  const begin = ([, { data_offsets }]: [string, Entry]) => data_offsets[0];
  const end = ([, { data_offsets }]: [string, Entry]) => data_offsets[1];
  entries.sort((a, b) => begin(a) - begin(b) || end(a) - end(b));

  let at = 0;
  for (const entry of entries) {
    const [name] = entry;
    if (begin(entry) < at) fail(`the bytes of ${name} overlap those of another tensor`);
    if (begin(entry) > at) fail(`the bytes before those of ${name} belong to no tensor`);
    if (end(entry) > body.length) fail(`it ends before the bytes of ${name} do`);
    at = end(entry);
  }
  if (at < body.length) fail(`its last ${body.length - at} bytes belong to no tensor`);
  const tensors = entries.map(([name, entry]) => [name, read(name, entry, body, fail)] as const);
  return { tensors: new Map(tensors), metadata };
}

type Fail = (what: string) => never;

/** Splits a file into its parsed header and the bytes of its tensors. */
function split(bytes: Uint8Array, fail: Fail) {
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, at least 8 are expected`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > Math.min(MAX_HEADER, bytes.length - 8)) {
    fail(`its header should have ${length} bytes, the whole file has ${bytes.length}`);
  }
  let text = '';
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
    parsed = JSON.parse(text);
  } catch {
    fail('its header is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return fail('its header is not a JSON object');
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(`its header has the key ${twice} twice`);
  return {
    header: new Map<string, unknown>(Object.entries(parsed)),
    body: bytes.subarray(8 + length),
  };
}

/** A key that occurs twice in an object of a JSON text. JSON.parse would keep the last one. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is Record<string, string> =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');

/** What is wrong with the entry of a tensor, by its key; undefined if nothing is. */
function faultOf(entry: unknown): string | undefined {
  if (!isObject(entry)) return 'it is not an object';
  const { dtype, shape, data_offsets, ...others } = entry;
  const [other] = Object.keys(others);
  if (other !== undefined) return `${other}: no such key`;
  if (!dtypes.includes(dtype as Dtype)) return `dtype: not one of ${dtypes.join(', ')}`;
  return countsFault('shape', shape) ?? countsFault('data_offsets', data_offsets, 2);
}

/** What is wrong with a list of whole numbers from 0. */
function countsFault(key: string, list: unknown, length?: number): string | undefined {
  if (!Array.isArray(list) || (length !== undefined && list.length !== length)) {
    return `${key}: not a list${length === undefined ? '' : ` of ${length}`}`;
  }
  const at = list.findIndex((value) => !(Number.isSafeInteger(value) && value >= 0));
  return at < 0 ? undefined : `${key}: ${at}: not a whole number from 0`;
}

function read(name: string, { dtype, shape, data_offsets }: Entry, body: Uint8Array, fail: Fail) {
  const [begin, end] = data_offsets;
  const expected = product(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    fail(`${name} has ${end - begin} bytes, its shape [${shape.join(', ')}] needs ${expected}`);
  }
  // A copy, because the offset may not be aligned and the file's memory can then be freed.
  const { buffer } = new Uint8Array(body.subarray(begin, end));
  const data = new DTYPES[dtype](buffer);
  if (dtype === 'BOOL' && data.some((value) => value > 1)) fail(`${name} has a BOOL above 1`);
  return { dtype, shape, data } as StoredTensor;
}
