/**
 * The safetensors format: the header's length as a little-endian uint64, a JSON header, the bytes
 * of the tensors one after the other. https://huggingface.co/docs/safetensors
 *
 * The writer matches the reference implementation byte for byte, so equal tensors give equal files.
 * The reader is as strict as the reference: each byte belongs to exactly one tensor. Typed arrays are
 * assumed to be little-endian, as on every platform of Node.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { product, UserError } from '@gpn/runtime';
import { z } from 'zod';
import { fileError } from './atomic.js';

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
  const json = Buffer.from(jsonObject(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded + end, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  bytes.set(json, 8);
  let at = 8 + padded;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * SHA-256, in hex, of all that a file says, whatever the order it is written in: the metadata, and the
 * name, dtype, shape and bytes of each tensor.
 */
export function contentHash({ tensors, metadata }: SafetensorsFile): string {
  const hash = createHash('sha256');
  const byName = <T>(entries: Iterable<[string, T]>) =>
    [...entries].sort(([a], [b]) => compareBytes(a, b));
  hash.update(JSON.stringify(byName(Object.entries(metadata))));
  for (const [name, { dtype, shape, data }] of byName(tensors)) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Compares UTF-8 bytes, as Rust does. JavaScript's own comparison of UTF-16 units differs. */
const compareBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** JSON of an object with its keys in the given order; JavaScript objects put integers first. */
const jsonObject = (entries: [key: string, json: string][]) =>
  `{${entries.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;

/**
 * Reads a file.
 *
 * @throws UserError naming the file if it is missing or malformed
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  return decodeSafetensors(bytes, path);
}

const entrySchema = z.strictObject({
  dtype: z.enum(dtypes),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

type Entry = z.infer<typeof entrySchema>;

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
  const metadata = z.record(z.string(), z.string()).safeParse(header.get(METADATA) ?? {});
  if (!metadata.success) return fail(`its ${METADATA} is not an object of strings`);
  header.delete(METADATA);

  const entries = [...header].map(([name, value]): [string, Entry] => {
    const { data, error } = entrySchema.safeParse(value);
    return data ? [name, data] : fail(`its entry of ${name} is wrong (${whatIsWrong(error)})`);
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
  return { tensors: new Map(tensors), metadata: metadata.data };
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

const whatIsWrong = (error: z.ZodError) =>
  error.issues.map(({ path, message }) => [...path, message].join(': '))[0];

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
