/** The command of this package: a TensorFlow.js model to an ONNX file. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';
import { declare, type OptionsOf, required, text } from './declare.js';
import type { Engine } from './model.js';
import { fileOptions, modelOptions } from './options.js';
import { print } from './print.js';
import { addDeclared, programOf, runProgram } from './program.js';

const NAME = 'gpn-export';

const CONVERT = declare({
  argument: [
    '<model.json>',
    'a TensorFlow.js model with its weight files beside it, or its folder',
  ],
  options: {
    output: required(text('-o, --output <file>', 'the ONNX file to write')),
    ...modelOptions(),
    ...fileOptions(),
  },
  examples: [
    'model.json -o model.onnx',
    'model.json -o model.onnx --input-shape image=NxHxWx3',
    'model.json -o model.onnx --outputs scores --fix keep_prob=1',
  ],
});

const WITHOUT_ENGINE =
  'Not compared with TF.js, because no engine is installed here: ' +
  `npx -p @gpn/export -p @gpn/runtime ${NAME} brings ONNX Runtime`;

const version = (): string =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

async function convert(source: string, options: OptionsOf<typeof CONVERT>): Promise<void> {
  const { output } = options;
  await checkWritable(output);
  const { exportModel } = await import('./model.js');
  print(await exportModel(source, output, options, { open, withoutEngine: WITHOUT_ENGINE, write }));
}

/** ONNX Runtime, if @gpn/runtime is installed beside this package. */
async function open(bytes: Uint8Array): Promise<Engine | undefined> {
  try {
    import.meta.resolve('@gpn/runtime');
  } catch {
    return undefined;
  }
  const { openSession } = await import('@gpn/runtime');
  return openSession(bytes, { device: 'cpu', label: 'The exported model' });
}

const cannotWrite = (path: string, reason: string): ExportError =>
  new ExportError(`Cannot write ${path} (--output): ${reason}.`);

/** Before the work: most of what keeps a file from being written shows now. */
async function checkWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw cannotWrite(path, 'it is a folder, not a file');
  const folder = dirname(resolve(path));
  await access(folder, constants.W_OK).catch((error) => {
    throw cannotWrite(
      path,
      error.code === 'ENOENT'
        ? `there is no folder ${folder}`
        : `nothing can be created in ${folder}`,
    );
  });
}

/** Under another name first, so that at every moment the file is the old one or the new one. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  const full = resolve(path);
  const fresh = join(dirname(full), `.${basename(full)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    await writeFile(fresh, bytes, { flush: true });
    await rename(fresh, full);
  } catch (error) {
    await rm(fresh, { force: true });
    throw cannotWrite(path, reasonOf(error));
  }
}

/** @returns the exit code: 0 done, 1 a bug, 2 a mistake of the user's */
export const main = (args: readonly string[]): Promise<number> =>
  runProgram(
    addDeclared(
      programOf(
        NAME,
        'Convert a TensorFlow.js model, a layers model or a graph model, to an ONNX file.',
        version(),
      ),
      CONVERT,
      NAME,
    ).action(convert),
    args,
  );
