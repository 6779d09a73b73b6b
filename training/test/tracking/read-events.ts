import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { crc32c } from '../../src/tracking/crc32c.js';

/** What a test wants to know of an event. */
export interface ReadEvent {
  wallTime: number;
  step: number;
  version?: string;
  /** Of a session that starts anew. */
  restart?: boolean;
  scalars: Record<string, number>;
  images: string[];
  /** How many values each histogram is of, by its own count and by the sum of its ranges. */
  histograms: Record<string, [number, number]>;
}

/** The event files of a folder, in the order in which TensorBoard reads them. */
export const readEventFiles = (folder: string): ReadEvent[][] =>
  readdirSync(folder)
    .sort()
    .map((name) => readEvents(readFileSync(join(folder, name))));

/** A reader of its own: frames by their definition, fields by protobuf's reader. */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    check(file.subarray(at, at + 8), file.readUInt32LE(at + 8));
    check(data, file.readUInt32LE(at + 12 + length));
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}

/** The masked checksum, the mask taken off. */
function check(bytes: Uint8Array, stored: number): void {
  const rotated = (stored - 0xa282ead8) >>> 0;
  const sum = ((rotated >>> 17) | (rotated << 15)) >>> 0;
  if (sum !== crc32c(bytes)) throw new Error('a checksum is wrong');
}

/** The fields of a message: numbers, or bytes, by their field numbers. */
function fieldsOf(bytes: Uint8Array): [number, number | Uint8Array][] {
  const reader = new BinaryReader(bytes);
  const fields: [number, number | Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const read = [() => Number(reader.int64()), () => reader.double(), () => reader.bytes()];
    fields.push([field, type === 5 ? reader.float() : (read[type] as (typeof read)[0])()]);
  }
  return fields;
}

function eventOf(bytes: Uint8Array): ReadEvent {
  const event: ReadEvent = { wallTime: 0, step: 0, scalars: {}, images: [], histograms: {} };
  for (const [field, value] of fieldsOf(bytes)) {
    if (field === 1) event.wallTime = value as number;
    if (field === 2) event.step = value as number;
    if (field === 3) event.version = String(Buffer.from(value as Uint8Array));
    if (field === 7) event.restart = fieldsOf(value as Uint8Array)[0]?.[1] === 1;
    if (field === 5)
      for (const [, shown] of fieldsOf(value as Uint8Array)) add(event, shown as Uint8Array);
  }
  return event;
}

function add(event: ReadEvent, bytes: Uint8Array): void {
  const shown = new Map(fieldsOf(bytes));
  const tag = String(Buffer.from(shown.get(1) as Uint8Array));
  if (shown.has(2)) event.scalars[tag] = shown.get(2) as number;
  if (shown.has(4)) event.images.push(tag);
  if (!shown.has(5)) return;
  const histogram = new Map(fieldsOf(shown.get(5) as Uint8Array));
  const counts = Buffer.from(histogram.get(7) as Uint8Array);
  let sum = 0;
  for (let at = 0; at < counts.length; at += 8) sum += counts.readDoubleLE(at);
  event.histograms[tag] = [histogram.get(3) as number, sum];
}
