/**
 * The safetensors format: the header's length as a little-endian uint64, a JSON header, the bytes
 * of the tensors one after the other. https://huggingface.co/docs/safetensors
 *
 * What is written equals, byte for byte, what the reference implementation writes, so it is a
 * function of the tensors alone; what is read is checked as strictly as there: each byte belongs
 * to exactly one tensor. Typed arrays are taken to be little-endian, as on all that Node runs on.
 */
import { readFile } from 'node:fs/promises';
import { UserError } from '@gpn/runtime';
import { z } from 'zod';
import { fileError } from './atomic.js';

/** In the order in which the reference implementation lays tensors out, so that all are aligned. */
const DTYPES = {
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
  /** 0 and 1. */
  BOOL: Uint8Array,
};

/** The values that tensors of a dtype hold. */
interface Values {
  I64: BigInt64Array;
  F32: Float32Array;
  I32: Int32Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

export type Dtype = keyof Values;

/** A tensor; `data` holds the product of `shape` values, row by row. */
export type StoredTensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: Values[D] };
}[Dtype];

export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

const dtypes = Object.keys(DTYPES) as Dtype[];
const METADATA = '__metadata__';
/** The reference implementation's bound. */
const MAX_HEADER = 100_000_000;

const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** The bytes of a file; equal tensors and metadata give equal bytes, in whatever order they come. */
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
    if (name === METADATA || data.length !== elements(shape)) {
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

/** By UTF-8 bytes, as Rust compares; JavaScript compares UTF-16 units, which order differently. */
const compareBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** An object's JSON, its keys in the order given: JavaScript's objects put whole numbers first. */
const jsonObject = (entries: [key: string, json: string][]) =>
  `{${entries.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;

/**
 * Reads a file.
 *
 * @throws UserError naming it, when it is missing or does not keep to the format
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
 * Reads the bytes of a file; the tensors are copies of theirs. `file` is its name, for errors.
 *
 * @throws UserError when they do not keep to the format, or hold a dtype other than {@link Dtype}
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

/** Cuts a file into its header, parsed, and the bytes of its tensors. */
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

/** A key that an object of valid JSON text has twice, of which JSON.parse would keep the last. */
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
  const expected = elements(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    fail(`${name} has ${end - begin} bytes, its shape [${shape.join(', ')}] needs ${expected}`);
  }
  // A copy: the place in the file may not be aligned, and the file's memory can go.
  const { buffer } = new Uint8Array(body.subarray(begin, end));
  const data = new DTYPES[dtype](buffer);
  if (dtype === 'BOOL' && data.some((value) => value > 1)) fail(`${name} has a BOOL above 1`);
  return { dtype, shape, data } as StoredTensor;
}
