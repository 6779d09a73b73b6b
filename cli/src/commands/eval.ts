import { dirname, join } from 'node:path';
import type { Generator } from '@gpn/runtime';
import type { Evaluation, Evidence, Extra } from '@gpn/training';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from '../evaluation.js';
import { amount, deviceOption, examples, wholeNumber } from '../options.js';

interface Options extends EvaluationOptions {
  model: string;
  categories?: string;
  trainClassifier?: boolean;
  parzen?: boolean;
  json?: boolean;
  report?: string;
  write?: boolean;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
}

/** `LOW:HIGH`. */
export function range(text: string): [number, number] {
  const [low, high, ...rest] = text.split(':').map(Number);
  if (low === undefined || high === undefined || rest.length > 0 || !(low < high))
    throw new InvalidArgumentError('It must be LOW:HIGH, such as -1:1.');
  return [low, high];
}

/** What evaluating takes, of `eval` and of `compare`. */
export const withEvaluationOptions = (command: Command): Command =>
  command
    .option('--classes <names>', 'real images of these classes alone, such as 0 or 3,5', (names) =>
      names.split(','),
    )
    .option('--samples <n>', 'images drawn for each seed', amount, 10_000)
    .option('--seeds <n>', 'how many seeds, from 0; their median counts', wholeNumber(1, 100), 1)
    .option(
      '--features <file|name>',
      'an ONNX file that gives features of images (default: the judge of the data)',
    )
    .option(
      '--features-range <low:high>',
      'what such a file takes for black and white (default: what it says, else 0:1)',
      range,
    )
    .addOption(deviceOption());

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('measure how good a generator is')
    .requiredOption('--model <file|name>', 'an ONNX file, or the name of a bundled model')
    .requiredOption('--data <name|folder>', 'what it should draw: mnist, fashion, or a folder');
  withEvaluationOptions(command)
    .option('--categories <file|name>', 'an InfoGAN’s discriminator: the error of its categories')
    .option('--train-classifier', 'train a classifier on generated images, test it on real ones')
    .option('--parzen', 'the log-likelihood of old papers')
    .option('--json', 'print the result as JSON, for gpn-cli compare')
    .option('--report <file.html>', 'write a report with pictures')
    .option('--write', 'put the scores into the file’s own description')
    .addHelpText(
      'after',
      examples(
        'eval --model dcgan-mnist --data mnist',
        'eval --model generator.onnx --data mnist --seeds 3 --report report.html',
        'eval --model generator.onnx --data photos/ --features inception.onnx --json > result.json',
      ),
    )
    .action(evaluate);
}

async function evaluate(options: Options): Promise<void> {
  const { model, report, json, write } = options;
  const { checkWritable, kindOf } = await import('../files.js');
  const { Generator, UserError } = await import('@gpn/runtime');
  if (report) await checkWritable(report, 'file', '--report');
  if (write && (await kindOf(model)) !== 'file') {
    throw new UserError(`--write changes a file: give --model the path of one, not ${model}.`);
  }
  const generator = await Generator.load(model, { device: options.device });
  const { openEvaluation } = await import('../evaluation.js');
  const evaluation = await openEvaluation(generator.info.image, options, extrasOf(options));
  try {
    const result = await evaluation.evaluate(model, generator, options.categories);
    if (report) await writeReport(report, model, generator, result);
    if (write) await writeScores(model, result.evaluation);
    const { scorecardText } = await import('@gpn/training');
    process.stdout.write(
      json
        ? `${JSON.stringify(result.evaluation, null, 2)}\n`
        : `${scorecardText(result.evaluation)}${report ? `\nReport: ${report}\n` : ''}`,
    );
  } finally {
    await evaluation.dispose();
    await generator.dispose();
  }
}

const extrasOf = ({ trainClassifier, parzen }: Options): Extra[] => [
  ...(trainClassifier ? (['trained'] as const) : []),
  ...(parzen ? (['parzen'] as const) : []),
];

async function writeReport(
  path: string,
  model: string,
  generator: Generator,
  result: { evaluation: Evaluation; evidence: Evidence },
): Promise<void> {
  const { htmlReport } = await import('../report/report.js');
  const { writeFileAtomic } = await import('@gpn/training/atomic');
  // A generator that lies in the folder of its run has the run's log beside it.
  const log = join(dirname(model), 'metrics.jsonl');
  await writeFileAtomic(path, await htmlReport({ ...result, generator, log }));
}

/** The scores of this protocol take the place of its earlier ones; those of others stay. */
async function writeScores(path: string, evaluation: Evaluation): Promise<void> {
  const { readModelInfo, readSource, withModelInfo } = await import('@gpn/runtime');
  const { qualityOf } = await import('@gpn/training');
  const { writeFileAtomic } = await import('@gpn/training/atomic');
  const { bytes } = await readSource(path);
  const info = readModelInfo(bytes, path);
  const scores = qualityOf(evaluation);
  const kept = (info.quality ?? []).filter(
    ({ protocol }) => !protocol.startsWith(evaluation.protocolHash),
  );
  await writeFileAtomic(path, withModelInfo(bytes, { ...info, quality: [...kept, ...scores] }));
}
