import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ModelInfo, WebFile } from '@gpn/runtime';
import type { Command } from 'commander';
import { examples, wholeNumber } from '../options.js';

interface Options {
  output: string;
  title: string;
  webgpu?: boolean;
  serve?: number | true;
}

const PORT = 8080;

export function addExportWeb(program: Command): void {
  program
    .command('export-web')
    .description('make a folder with a page that runs models in the browser, for any static host')
    .argument('<file|name...>', 'ONNX files, or names of bundled models')
    .requiredOption('-o, --output <dir>', 'the folder to make')
    .option('--title <text>', 'the title of the page', 'Generative models in your browser')
    .option('--webgpu', 'run on GPUs too; the folder is 27 MB larger')
    .option(
      '--serve [port]',
      `then serve the folder to this machine (port ${PORT})`,
      wholeNumber(1, 65_535),
    )
    .addHelpText(
      'after',
      examples(
        'export-web dcgan-mnist.onnx -o site',
        'export-web generator.onnx discriminator.onnx -o site --serve',
      ),
    )
    .action(exportWeb);
}

async function exportWeb(models: string[], options: Options): Promise<void> {
  const { webFiles } = await import('@gpn/runtime');
  const { pages } = await import('../web/page.js');
  const { output, title, webgpu = false, serve } = options;
  await checkFolder(output);
  const loaded = await Promise.all(models.map(readModel));
  const files: WebFile[] = [
    ...(await pages(distinct(loaded), { title, webgpu })),
    ...(await webFiles({ webgpu })),
  ];
  await writeFolder(output, files);
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  process.stdout.write(
    `Wrote ${files.length} files, ${(size / 1e6).toFixed(1)} MB, to ${output}: any static host can serve them\n`,
  );
  if (serve === undefined) return;
  const { serveFolder } = await import('../serve.js');
  const { url } = await serveFolder(resolve(output), serve === true ? PORT : serve);
  process.stdout.write(`Open ${url}/ (Ctrl-C ends it)\n`);
}

/** A model that a page shows. */
export interface WebModel {
  /** Its file in the page's folder. */
  file: string;
  bytes: Uint8Array;
  info: ModelInfo;
}

async function readModel(source: string): Promise<WebModel> {
  const { readModelInfo, readSource, UserError } = await import('@gpn/runtime');
  const { bytes, label } = await readSource(source);
  const info = readModelInfo(bytes, label);
  if (info.kind === 'features') {
    throw new UserError(`${label} extracts features: a page shows generators and discriminators.`);
  }
  return { file: info.name.replace(/[^\w.-]+/g, '-'), bytes, info };
}

/** Pages that are no model's: their names are taken. */
const PAGES = ['index', 'score'];

/** Names that two models share get a number. */
function distinct(models: WebModel[]): WebModel[] {
  const taken = new Map(PAGES.map((page) => [page, 1]));
  return models.map((model) => {
    const times = (taken.get(model.file) ?? 0) + 1;
    taken.set(model.file, times);
    return { ...model, file: `models/${model.file}${times > 1 ? `-${times}` : ''}.onnx` };
  });
}

/** What only a folder of this command's making holds. */
const MARK = 'gpn';

/** Refuses a folder that holds anything but an earlier page of ours. */
async function checkFolder(output: string): Promise<void> {
  const { UserError } = await import('@gpn/runtime');
  const { checkWritable } = await import('../files.js');
  await checkWritable(output, 'folder', '--output');
  const entries: string[] = await readdir(output).catch(() => []);
  if (entries.length > 0 && !(entries.includes(MARK) && entries.includes('index.html'))) {
    throw new UserError(
      `${output} (--output) holds other files: name a folder that is new or empty.`,
    );
  }
}

/** The folder appears whole or not at all. */
async function writeFolder(output: string, files: WebFile[]): Promise<void> {
  const { fileError } = await import('@gpn/training/atomic');
  const target = resolve(output);
  await mkdir(dirname(target), { recursive: true });
  const temporary = await mkdtemp(join(dirname(target), '.gpn-web-'));
  try {
    for (const { path, bytes } of files) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), bytes);
    }
    await rm(target, { recursive: true, force: true });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fileError('write', output, error);
  }
}
