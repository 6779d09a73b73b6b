/** Protobuf's wire format: the fields of a message, without knowing what they mean. */

/** Where a field is in the bytes: it begins at `start`, and its content is from `content` to `end`. */
export interface Field {
  number: number;
  /** The wire type: 0 for a varint, 2 for bytes, text or a message, 1 and 5 for fixed sizes. */
  type: number;
  start: number;
  content: number;
  end: number;
}

/** The bytes are no message; the text says why, as a part of a sentence. */
export class Malformed extends Error {}

/**
 * A varint's value and the offset after it. Values beyond 2^53 lose their low bits, but remain too
 * large for any check of bounds.
 */
export function varint(bytes: Uint8Array, at: number, end: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
    if (at + i >= end) throw new Malformed('it is cut short');
    const byte = bytes[at + i] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at + i + 1];
  }
  throw new Malformed(`the number at byte ${at} does not end`);
}

/** The fields of the message from byte `from` to `end`, in their order. */
export function* fields(bytes: Uint8Array, from = 0, end = bytes.length): Generator<Field> {
  for (let start = from; start < end; ) {
    const [tag, afterTag] = varint(bytes, start, end);
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (number === 0) throw new Malformed(`byte ${start} starts no field`);
    let content = afterTag;
    let next: number;
    switch (type) {
      case 0:
        [, next] = varint(bytes, content, end);
        break;
      case 1:
        next = content + 8;
        break;
      case 2: {
        const [length, afterLength] = varint(bytes, content, end);
        content = afterLength;
        next = content + length;
        break;
      }
      case 5:
        next = content + 4;
        break;
      default:
        throw new Malformed(`byte ${start} starts no field`);
    }
    if (next > end) throw new Malformed('it is cut short');
    yield { number, type, start, content, end: next };
    start = next;
  }
}
