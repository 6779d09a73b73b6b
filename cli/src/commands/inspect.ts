import type { ModelSummary } from '@gpn/export';
import type { Command } from 'commander';
import { examples } from '../options.js';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('say what an ONNX file is: inputs, outputs, metadata, size, operators')
    .argument('<file|name>', 'an ONNX file, or the name of a bundled model')
    .option('--json', 'print everything as JSON')
    .option('--ops', 'print how often each operator occurs, and nothing else')
    .addHelpText(
      'after',
      examples(
        'inspect dcgan-mnist.onnx',
        'inspect runs/dcgan-mnist/discriminator.onnx --json',
        'inspect model.onnx --ops',
      ),
    )
    .action(inspect);
}

interface Options {
  json?: boolean;
  ops?: boolean;
}

async function inspect(model: string, { json, ops }: Options): Promise<void> {
  const { readSource, UserError } = await import('@gpn/runtime');
  const { bytes, label } = await readSource(model);
  const { inspectModel } = await import('@gpn/export');
  let summary: ModelSummary;
  try {
    summary = inspectModel(bytes);
  } catch (error) {
    throw new UserError(`${label} cannot be inspected: ${(error as Error).message}.`);
  }
  const metadata = mapValues(summary.metadata, parsed);
  const asJson = ops ? summary.operators : { file: label, ...summary, metadata };
  const asText = ops ? countsOf : describe;
  process.stdout.write(json ? `${JSON.stringify(asJson, null, 2)}\n` : asText(summary, label));
}

const mapValues = <A, B>(record: Record<string, A>, f: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));

/** A metadata value is text; where the text is JSON, what it says. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A line an operator: how often it occurs, most frequent first, and in all. */
function countsOf({ operators }: ModelSummary): string {
  const total = Object.values(operators).reduce((a, b) => a + b, 0);
  const rows = [...Object.entries(operators), ['in all', total] as const];
  const width = Math.max(...rows.map(([, n]) => `${n}`.length));
  return rows.map(([name, n]) => `${`${n}`.padStart(width)}  ${name}\n`).join('');
}

/** The summary as lines for a person. */
function describe(summary: ModelSummary, path: string): string {
  const { bytes, producer, opset, irVersion, parameters, inputs, outputs } = summary;
  const tensors = (list: ModelSummary['inputs']) =>
    list.map(({ name, dtype, shape }) => `${name}  ${dtype}[${shape.join(', ')}]`);
  const operators = Object.entries(summary.operators).map(([name, count]) => `${name} ${count}`);
  const rows: [string, string[]][] = [
    ['file', [path]],
    ['size', [`${bytes.toLocaleString('en')} bytes`]],
    ['written by', [producer || 'unknown']],
    ['format', [`ONNX opset ${opset}, IR version ${irVersion}`]],
    ['parameters', [parameters.toLocaleString('en')]],
    ['inputs', tensors(inputs)],
    ['outputs', tensors(outputs)],
    ['operators', [operators.join(', ')]],
    ...Object.entries(summary.metadata).map(([key, value]): [string, string[]] => [
      key,
      outline(parsed(value)),
    ]),
  ];
  const width = Math.max(...rows.map(([key]) => key.length)) + 2;
  return rows
    .flatMap(([key, lines]) =>
      (lines.length ? lines : ['none']).map(
        (line, i) => `${(i ? '' : key).padEnd(width)}${line}\n`,
      ),
    )
    .join('');
}

/** How much of a long list, such as a certificate's values, is of use to a person. */
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
