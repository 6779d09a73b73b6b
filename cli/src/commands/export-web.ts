import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  readModelInfo,
  readSource,
  refusePacked,
  UserError,
  type WebFile,
  webFiles,
} from '@gpn/runtime';
import { checkWritable } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import { type EXPORT_WEB, PORT } from '../options/export-web.js';
import { print } from '../terminal/print.js';
import { replaceFolder } from '../web/folder.js';
import type { WebModel } from '../web/model.js';
import { serviceWorker } from '../web/offline.js';
import { type OtherPage, pages } from '../web/page.js';
import { serveFolder } from '../web/site.js';

/** @param others pages that are no models', which `npm run demo` has */
export async function run(
  models: string[],
  options: OptionsOf<typeof EXPORT_WEB>,
  others: readonly OtherPage[] = [],
): Promise<void> {
  const { output, title, webgpu = false, serve } = options;
  await checkFolder(output);
  const loaded = await Promise.all(models.map(readModel));
  const site: WebFile[] = [
    ...(await pages(distinct(loaded), { title, webgpu }, others)),
    ...(await webFiles({ webgpu })),
  ];
  const files = [...site, serviceWorker(site)];
  await replaceFolder(output, files);
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  print(
    `Wrote ${files.length} files, ${(size / 1e6).toFixed(1)} MB, to ${output}: any static host can serve them\n`,
  );
  if (serve === undefined) return;
  const { url } = await serveFolder(resolve(output), serve === true ? PORT : serve);
  print(`Open ${url}/ (Ctrl-C stops the server)\n`);
}

async function readModel(source: string): Promise<WebModel> {
  const { bytes, label } = await readSource(source);
  const info = readModelInfo(bytes, label);
  if (info.kind === 'features') {
    throw new UserError(`${label} extracts features: a page shows generators and discriminators.`);
  }
  refusePacked(info, label);
  return { file: info.name.replace(/[^\w.-]+/g, '-'), bytes, info };
}

/** Names that models cannot have: other pages have them. */
const PAGES = ['index', 'score', 'convert', 'train'];

/** If two models have the same name, the second gets a number. */
function distinct(models: WebModel[]): WebModel[] {
  const taken = new Map(PAGES.map((page) => [page, 1]));
  return models.map((model) => {
    const times = (taken.get(model.file) ?? 0) + 1;
    taken.set(model.file, times);
    return { ...model, file: `models/${model.file}${times > 1 ? `-${times}` : ''}.onnx` };
  });
}

/** An entry by which a folder that this command made can be recognised. */
const MARK = 'gpn';

/** Refuses a folder with files that this command did not write. */
async function checkFolder(output: string): Promise<void> {
  await checkWritable(output, 'folder', '--output');
  const entries: string[] = await readdir(output).catch(() => []);
  if (entries.length > 0 && !(entries.includes(MARK) && entries.includes('index.html'))) {
    throw new UserError(
      `${output} (--output) contains other files: choose a new or an empty folder.`,
    );
  }
}
