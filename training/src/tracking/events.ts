/**
 * The format of TensorBoard's event files: TFRecord frames around protobuf messages. The field
 * numbers are those of TensorFlow's event.proto and summary.proto.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { crc32c } from './crc32c.js';
import type { Histogram } from './histogram.js';

/** The value of a tag: a number, an image or a histogram. */
export type Shown =
  | { readonly scalar: number }
  | { readonly png: Uint8Array }
  | { readonly histogram: Histogram };

/** A record of an event file. */
export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly what:
    | { readonly version: string }
    /** Discards what earlier files contain for this and later steps. */
    | { readonly restart: true }
    | { readonly summary: ReadonlyMap<string, Shown> };
}

type Write = (writer: BinaryWriter) => void;

const field =
  (number: number, type: WireType, write: (writer: BinaryWriter) => BinaryWriter): Write =>
  (writer) => {
    write(writer.tag(number, type));
  };
const double = (n: number, x: number) => field(n, WireType.Bit64, (w) => w.double(x));
const float = (n: number, x: number) => field(n, WireType.Bit32, (w) => w.float(x));
/** An integer; zero is the default and left out. */
const int = (n: number, x: number): Write =>
  x === 0 ? () => {} : field(n, WireType.Varint, (w) => w.int64(x));
const bytes = (n: number, x: Uint8Array) => field(n, WireType.LengthDelimited, (w) => w.bytes(x));
const text = (n: number, x: string) => field(n, WireType.LengthDelimited, (w) => w.string(x));
const message = (n: number, fields: readonly Write[]) => bytes(n, encode(fields));
const doubles = (n: number, values: readonly number[]) =>
  field(n, WireType.LengthDelimited, (w) => {
    w.fork();
    for (const x of values) w.double(x);
    return w.join();
  });

function encode(fields: readonly Write[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const write of fields) write(writer);
  return writer.finish();
}

const SESSION_START = 1;

/** Encodes an `Event` message. */
export function encodeEvent({ wallTime, step, what }: Event): Uint8Array {
  const common = [double(1, wallTime), int(2, step)];
  if ('version' in what) return encode([...common, text(3, what.version)]);
  if ('restart' in what) return encode([...common, message(7, [int(1, SESSION_START)])]);
  const values = [...what.summary].map(([tag, shown]) => message(1, [text(1, tag), value(shown)]));
  return encode([...common, message(5, values)]);
}

function value(shown: Shown): Write {
  if ('scalar' in shown) return float(2, shown.scalar);
  if ('png' in shown) return message(4, image(shown.png));
  const { min, max, count, sum, sumOfSquares, limits, counts } = shown.histogram;
  return message(5, [
    double(1, min),
    double(2, max),
    double(3, count),
    double(4, sum),
    double(5, sumOfSquares),
    doubles(6, limits),
    doubles(7, counts),
  ]);
}

/** Size and colour type are at fixed offsets in a PNG's header (ISO/IEC 15948, 11.2.2). */
function image(png: Uint8Array): Write[] {
  const header = new DataView(png.buffer, png.byteOffset + 16, 13);
  const channels = header.getUint8(9) === 0 ? 1 : 3;
  return [
    int(1, header.getUint32(4)),
    int(2, header.getUint32(0)),
    int(3, channels),
    bytes(4, png),
  ];
}

/** Encodes a TFRecord: length, its checksum, data, their checksum; all little-endian. */
export function frame(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(out.subarray(0, 8))), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return out;
}

/** Masks a checksum, because a CRC of data that contains CRCs is weak. */
export const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
