import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCompare } from './commands/compare.js';
import { addDoctor } from './commands/doctor.js';
import { addEval } from './commands/eval.js';
import { addExport } from './commands/export.js';
import { addExportWeb } from './commands/export-web.js';
import { addInspect } from './commands/inspect.js';
import { addModels } from './commands/models.js';
import { addSample } from './commands/sample.js';
import { addScore } from './commands/score.js';
import { addTrain } from './commands/train.js';
import { addVerify } from './commands/verify.js';
import { explain } from './errors.js';

const COMMANDS = [
  addTrain,
  addExport,
  addSample,
  addScore,
  addEval,
  addCompare,
  addInspect,
  addVerify,
  addModels,
  addExportWeb,
  addDoctor,
];

const version = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

/** The command line as commander sees it. Only commander is loaded here: `--help` stays fast. */
function program(): Command {
  const root = new Command('gpn-cli')
    .description('Train small GANs, export them to ONNX, and draw from the exported files.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      // One line, in the form of every other error; commander puts its suggestion on a second one.
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replace(/^error:/, 'gpn-cli:')
            .replaceAll('\n', ' ')}\n`,
        ),
    });
  for (const add of COMMANDS) add(root);
  return root;
}

/**
 * Runs one command.
 *
 * @param args the words after `gpn-cli`
 * @returns the exit code: 0 done, 1 a bug of ours, 2 a mistake of the user's
 */
export async function main(args: string[]): Promise<number> {
  // A reader that closes early, such as `| head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await program().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { text, exitCode } = explain(error);
    process.stderr.write(text);
    return exitCode;
  }
}
