/** How a command line behaves: what it prints for a mistake, and how it ends. */
import { Command, CommanderError } from 'commander';
import type { Declaration, Spec } from './declare.js';
import { printable } from './print.js';

/** What to print for an error that ended a program, and its exit code. */
export interface Explained {
  readonly text: string;
  readonly exitCode: number;
}

/** A program without commands or options yet. */
export const programOf = (name: string, description: string, version: string): Command =>
  new Command(name)
    .description(description)
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      // One line, in the form of every other error; commander puts its suggestion on a second one.
      outputError: (text, write) =>
        write(
          `${printable(
            text
              .trim()
              .replace(/^error:/, `${name}:`)
              .replaceAll('\n', ' '),
          )}\n`,
        ),
    });

/** Gives a command what was declared for it; the examples are words after the name of the program. */
export function addDeclared<A extends string, S extends Record<string, Spec<unknown>>>(
  command: Command,
  { argument, options, examples }: Declaration<A, S>,
  program: string,
): Command {
  if (argument) command.argument(...argument);
  for (const { option } of Object.values(options)) command.addOption(option);
  const lines = examples.map((line) => `  $ ${program} ${line}\n`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('')}`);
}

/** Classes of errors that are mistakes of the user's. By name, because the classes load much else. */
const MISTAKES = new Set(['UserError', 'ExportError']);

/** One sentence and 2 for the user's mistakes, the stack and 1 for bugs. */
export function explain(thrown: unknown, program: string): Explained {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (MISTAKES.has(error.name)) {
    const sentence = printable(error.message.replaceAll(/\r?\n/g, ' '));
    return { text: `${program}: ${sentence}\n`, exitCode: 2 };
  }
  return {
    text: `${program}: This is a bug in ${program}; please report it with the lines below.\n${printable(error.stack ?? String(error))}\n`,
    exitCode: 1,
  };
}

/**
 * Runs a program.
 *
 * @param args the words after its name
 * @returns the exit code: 0 done, 2 a mistake of the user's, otherwise what `explainError` says
 */
export async function runProgram(
  program: Command,
  args: readonly string[],
  explainError: (thrown: unknown) => Explained = (thrown) => explain(thrown, program.name()),
): Promise<number> {
  // A reader that closes early, such as `| head`, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { text, exitCode } = explainError(error);
    process.stderr.write(text);
    return exitCode;
  }
}
