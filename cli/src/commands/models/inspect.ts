import { inspectModel, type ModelSummary } from '@gpn/export';
import { metadataOf, readSource, reasonOf, UserError } from '@gpn/runtime';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { INSPECT } from '../../options/inspect.js';
import { print } from '../../terminal/print.js';
import { table } from '../../terminal/table.js';

export async function run(model: string, { json, ops }: OptionsOf<typeof INSPECT>): Promise<void> {
  const { bytes, label } = await readSource(model);
  metadataOf(bytes, label); // says it plainly if the file is no ONNX at all
  let summary: ModelSummary;
  try {
    summary = inspectModel(bytes);
  } catch (error) {
    throw new UserError(`${label} cannot be inspected: ${reasonOf(error)}.`);
  }
  const metadata = mapValues(summary.metadata, parsed);
  const asJson = ops ? summary.operators : { file: label, ...summary, metadata };
  const asText = ops ? countsOf : describe;
  print(json ? `${JSON.stringify(asJson, null, 2)}\n` : asText(summary, label));
}

const mapValues = <A, B>(record: Record<string, A>, f: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));

/** A metadata value is text; if the text is JSON, the value that it stands for. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Each operator with how often it occurs, the most frequent first, and their sum. */
function countsOf({ operators }: ModelSummary): string {
  const total = Object.values(operators).reduce((a, b) => a + b, 0);
  const rows = [...Object.entries(operators), ['in all', total] as const];
  return table(
    rows.map(([name, n]) => [`${n}`, name]),
    ['right'],
  );
}

/** The lines of a summary, under the names of what they say. */
const linesOf = (summary: ModelSummary, path: string): [string, string[]][] => [
  ['file', [path]],
  ['size', [`${summary.bytes.toLocaleString('en')} bytes`]],
  ['written by', [summary.producer || 'unknown']],
  ['format', [`ONNX opset ${summary.opset}, IR version ${summary.irVersion}`]],
  ['parameters', [summary.parameters.toLocaleString('en')]],
  ['inputs', summary.inputs.map(tensor)],
  ['outputs', summary.outputs.map(tensor)],
  [
    'operators',
    [
      Object.entries(summary.operators)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    ],
  ],
  ...Object.entries(summary.metadata).map(([key, value]): [string, string[]] => [
    key,
    outline(parsed(value)),
  ]),
];

const tensor = ({ name, dtype, shape }: ModelSummary['inputs'][number]): string =>
  `${name}  ${dtype}[${shape.join(', ')}]`;

/** A summary for a person: a name is written on the first of its lines. */
const describe = (summary: ModelSummary, path: string): string =>
  table(
    linesOf(summary, path).flatMap(([name, lines]) =>
      (lines.length ? lines : ['none']).map((line, i) => [i ? '' : name, line]),
    ),
  );

/** How many values of a long list, such as those of a certificate, are printed. */
const LIST_SHOWN = 10;

/** A nested value as indented lines, `key: value`; lists of plain values stay on one line. */
function outline(value: unknown, indent = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${value}`];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    const more = value.length > LIST_SHOWN ? `, … (${value.length} in all)` : '';
    return [`${indent}${value.slice(0, LIST_SHOWN).join(', ')}${more}`];
  }
  return Object.entries(value).flatMap(([key, child]) => {
    const lines = outline(child, `${indent}  `);
    return lines.length === 1 && lines[0] !== undefined
      ? [`${indent}${key}: ${lines[0].trimStart()}`]
      : [`${indent}${key}:`, ...lines];
  });
}
