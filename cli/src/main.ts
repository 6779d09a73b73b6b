import { readFileSync } from 'node:fs';
import { addDeclared, programOf, runProgram } from '@gpn/export/command';
import type { Command } from 'commander';
import { explain, FOUND } from './errors.js';
import { CALIBRATE } from './options/calibrate.js';
import { DATA } from './options/data.js';
import type { Declaration, Given, Spec } from './options/declare/spec.js';
import { COMPARE, EVAL } from './options/evaluation/eval.js';
import { FEATURES } from './options/evaluation/features.js';
import { JUDGE } from './options/evaluation/judge.js';
import { EXPORT } from './options/export.js';
import { EXPORT_WEB } from './options/export-web.js';
import { DOCTOR, INSPECT, MODELS, VERIFY } from './options/inspect.js';
import { NEW } from './options/new.js';
import { SAMPLE } from './options/sample.js';
import { SCORE } from './options/score.js';
import { SERVE } from './options/serve.js';
import { MERGE, SWEEP } from './options/sweep.js';
import { TRAIN } from './options/train.js';
import { WORK } from './options/work.js';

/**
 * All commands, in the order of the help. A command's own module, and what it needs, is loaded here
 * and nowhere else, when the command runs: `--help` stays fast.
 */
const COMMANDS = [
  command(
    'new',
    'write a recipe that fits a folder of pictures',
    NEW,
    () => import('./commands/new.js'),
  ),
  command(
    'train',
    'train a GAN from a recipe, and export both networks',
    TRAIN,
    () => import('./commands/train.js'),
  ),
  command(
    'sweep',
    'train and evaluate many changes of a recipe, with several seeds',
    SWEEP,
    () => import('./commands/sweep/sweep.js'),
  ),
  command(
    'merge',
    'join the results of the parts of a sweep, or of bulk work',
    MERGE,
    () => import('./commands/bulk/merge.js'),
  ),
  command('data', 'say what is in a folder of pictures', DATA, () => import('./commands/data.js')),
  command(
    'export',
    'write a trained network, or any TF.js model, as an ONNX file',
    EXPORT,
    () => import('./commands/export.js'),
  ),
  command(
    'sample',
    'draw images with an exported generator',
    SAMPLE,
    () => import('./commands/sample.js'),
  ),
  command(
    'score',
    'score pictures with an exported discriminator',
    SCORE,
    () => import('./commands/score.js'),
  ),
  command(
    'work',
    'compute shards that score and sample give to a queue',
    WORK,
    () => import('./commands/bulk/work.js'),
  ),
  command(
    'calibrate',
    'let a discriminator say how rare its scores are among normal pictures',
    CALIBRATE,
    () => import('./commands/calibrate.js'),
  ),
  command(
    'eval',
    'measure how good a generator is',
    EVAL,
    () => import('./commands/evaluation/eval.js'),
  ),
  command(
    'compare',
    'compare generators that are measured in the same way',
    COMPARE,
    () => import('./commands/evaluation/compare.js'),
  ),
  command(
    'judge',
    'train a classifier of labelled pictures, to measure generators with',
    JUDGE,
    () => import('./commands/evaluation/judge.js'),
  ),
  command(
    'features',
    'fetch a feature extractor for colour pictures, to measure generators with',
    FEATURES,
    () => import('./commands/evaluation/features.js'),
  ),
  command(
    'inspect',
    'show the inputs, outputs, metadata and operators of an ONNX file',
    INSPECT,
    () => import('./commands/models/inspect.js'),
  ),
  command(
    'verify',
    'check that this machine computes what the exporting machine did',
    VERIFY,
    () => import('./commands/models/verify.js'),
  ),
  command('models', 'list the bundled models', MODELS, () => import('./commands/models/models.js')),
  command(
    'export-web',
    'make a web page that runs models in the browser',
    EXPORT_WEB,
    () => import('./commands/export-web.js'),
  ),
  command(
    'serve',
    'answer requests over HTTP: pictures of generators, scores of pictures, tensors',
    SERVE,
    () => import('./commands/serve.js'),
  ),
  command(
    'doctor',
    'show what this machine can do, and how to get what is missing',
    DOCTOR,
    () => import('./commands/doctor.js'),
  ),
];

/** A function that adds the command to a program. */
function command<A extends string, S extends Record<string, Spec<unknown>>>(
  name: string,
  summary: string,
  declaration: Declaration<A, S>,
  load: () => Promise<{ run(...given: Given<A, S>): Promise<unknown> }>,
): (program: Command, done: (code: number) => void) => void {
  return (program, done) => {
    addDeclared(program.command(name).description(summary), declaration, 'gpn-cli')
      // Commander adds itself as the last argument.
      .action(async (...given) => {
        const found = await (await load()).run(...(given.slice(0, -1) as Given<A, S>));
        if (found === FOUND) done(FOUND);
      });
  };
}

const version = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

/** Commands that write one file call it --output, others --out; either takes the other's word too. */
function spelled([name = '', ...args]: string[], root: Command): string[] {
  const words = ['--out', '--output'];
  const options = root.commands.find((command) => command.name() === name)?.options ?? [];
  const own = options.find(({ long }) => long && words.includes(long))?.long;
  const taken = own ? args.map((arg) => arg.replace(/^--out(put)?(?=$|=)/, own)) : args;
  return name === '' ? [] : [name, ...taken];
}

/**
 * Runs one command.
 *
 * @param args the words after `gpn-cli`
 * @returns the exit code: 0 done, 1 a bug in gpn-cli or runs of a sweep that failed, 2 a mistake of the
 *   user's, 3 a check found something
 */
export async function main(args: string[]): Promise<number> {
  const root = programOf(
    'gpn-cli',
    'Train small GANs, export them to ONNX, and draw with the exported files.',
    version(),
  );
  let found = 0;
  for (const add of COMMANDS) {
    add(root, (code) => {
      found = code;
    });
  }
  return (await runProgram(root, spelled(args, root), explain)) || found;
}
