/** Writes fields of protobuf's wire format. */
import { concat } from '../bytes.js';

/** A field of bytes, text or a message: its parts, one after the other. */
export function delimited(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concat([encodeVarint(number * 8 + 2), encodeVarint(length), ...parts]);
}

/** A field of text. */
export const textField = (number: number, text: string): Uint8Array =>
  delimited(number, [new TextEncoder().encode(text)]);

/** A field of a whole number. */
export const wholeField = (number: number, value: number): Uint8Array =>
  concat([encodeVarint(number * 8), encodeVarint(value)]);

export function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}
