/**
 * Reads and writes the `metadata_props` of an ONNX file. ONNX Runtime's JavaScript API does not give
 * access to them, so this parses protobuf's wire format, but only the top level of `ModelProto`. It
 * skips everything else, above all the graph.
 */
import { UserError } from '../../errors.js';
import { concat } from '../bytes.js';
import { foreignKind } from '../foreign.js';
import { delimited, textField } from './encode.js';
import { type Field, fields, Malformed } from './protobuf.js';

// Field numbers of ModelProto and of StringStringEntryProto (onnx.proto).
const GRAPH = 7;
const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

interface MetadataEntry {
  key: string;
  value: string;
  field: Field;
}

function entries(bytes: Uint8Array, label: string): MetadataEntry[] {
  const found: MetadataEntry[] = [];
  const decoder = new TextDecoder();
  let hasGraph = false;
  try {
    for (const field of fields(bytes, 0, bytes.length)) {
      if (field.number === GRAPH) hasGraph = true;
      if (field.number !== METADATA_PROPS) continue;
      const entry = { key: '', value: '', field };
      for (const { number, content, end } of fields(bytes, field.content, field.end)) {
        if (number === KEY) entry.key = decoder.decode(bytes.subarray(content, end));
        if (number === VALUE) entry.value = decoder.decode(bytes.subarray(content, end));
      }
      found.push(entry);
    }
    if (!hasGraph) throw new Malformed('it contains no graph');
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const foreign = foreignKind(bytes);
    throw new UserError(
      foreign === undefined
        ? `${label} is not a complete ONNX file: ${error.message}.`
        : `${label} is not an ONNX file: it is ${foreign}.`,
    );
  }
  return found;
}

/**
 * The metadata of an ONNX file. If a key occurs twice, the last value is used.
 *
 * @param label what to call the file in an error
 * @throws UserError if the bytes are not a complete ONNX file
 */
export function metadataOf(bytes: Uint8Array, label = 'The model'): Record<string, string> {
  return Object.fromEntries(entries(bytes, label).map(({ key, value }) => [key, value]));
}

/** The same ONNX file with this metadata entry, which replaces those with the same key. */
export function withMetadata(bytes: Uint8Array, key: string, value: string): Uint8Array {
  const kept: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries(bytes, 'The model')) {
    if (entry.key !== key) continue;
    kept.push(bytes.subarray(at, entry.field.start));
    at = entry.field.end;
  }
  kept.push(bytes.subarray(at));
  // A repeated field may be anywhere in a message, so it can be added at the end.
  return concat([
    ...kept,
    delimited(METADATA_PROPS, [textField(KEY, key), textField(VALUE, value)]),
  ]);
}
