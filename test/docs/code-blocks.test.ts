/**
 * The code blocks of all pages: programs and quick commands are run, in order, in a folder for each
 * page; the arguments of long commands are checked. `<!-- not run: reason -->` before a block says
 * why it is not run.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { latents, readModelInfo, writeNpy } from '@gpn/runtime';
import { resolveRecipe } from '@gpn/training';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bin } from '../cli.js';
import { root } from '../imports.js';
import { type Command, commandsOf, misuse } from './commands.js';
import { type Block, blocksOf, pages } from './pages.js';

const all = pages().flatMap((page) => blocksOf(page));
const scripts: Record<string, string> = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
).scripts;

// In the repository, so that the programs find the packages they import.
mkdirSync(join(root, 'scratch'), { recursive: true });
const base = mkdtempSync(join(root, 'scratch/blocks-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const place = ({ page, line }: Block): string => `${page}, line ${line}`;
const folderOf = (page: string): string => join(base, page.replaceAll('/', '-'));

interface Outcome {
  readonly code: number;
  readonly text: string;
}

async function node(cwd: string, ...args: string[]): Promise<Outcome> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 240_000 });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code = -1, stderr = '' } = error as { code?: number; stderr?: string };
    return { code, text: stderr };
  }
}

/** The files that the pages take as given: models, pictures, latents. */
async function fill(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const model = (name: string) => join(root, `models/pretrained/${name}.onnx`);
  copyFileSync(model('dcgan-mnist'), join(folder, 'generator.onnx'));
  copyFileSync(model('dcgan-mnist-discriminator'), join(folder, 'discriminator.onnx'));
  mkdirSync(join(folder, 'runs/first'), { recursive: true });
  copyFileSync(model('dcgan-mnist'), join(folder, 'runs/first/generator.onnx'));
  const grey = { create: { width: 28, height: 28, channels: 3, background: '#777' } } as const;
  await sharp(grey).png().toFile(join(folder, 'digit.png'));
  await sharp(grey).resize(64, 48, { fit: 'fill' }).png().toFile(join(folder, 'picture.png'));
  await sharp(grey).resize(64, 48, { fit: 'fill' }).jpeg().toFile(join(folder, 'scan.jpg'));
  const info = readModelInfo(readFileSync(model('dcgan-mnist')), 'dcgan-mnist');
  writeFileSync(join(folder, 'z.npy'), writeNpy(latents(info, 4, 1), [4, 16]));
}

/** Commands that are done in seconds and need nothing but the folder. */
const QUICK = new Set([
  'sample',
  'score',
  'merge',
  'inspect',
  'verify',
  'models',
  'export',
  'export-web',
]);

const isRun = ({ args }: Command, folder: string): boolean => {
  const [name = '', first = ''] = args;
  if (!QUICK.has(name) || args.includes('--serve') || args.some((arg) => arg.endsWith('.mp4'))) {
    return false;
  }
  return name !== 'export' || (first.endsWith('.json') && existsSync(join(folder, first)));
};

/** Programs other than the command that a block may start without a mark. */
const STARTS: Record<string, (args: readonly string[], folder: string) => boolean> = {
  npm: ([verb = '', name = '']) =>
    verb === 'run' ? name in scripts : ['ci', 'test', 'start', 'install'].includes(verb),
  node: ([file = ''], folder) => existsSync(join(root, file)) || existsSync(join(folder, file)),
  vitest: ([verb]) => verb === 'run',
};

const helps = new Map<string, Promise<Outcome>>();
/** @param words a program's file, and the name of its command if it has several */
const helpOf = (...words: string[]): Promise<Outcome> => {
  const key = words.join(' ');
  const help = helps.get(key) ?? node(root, ...words, '--help');
  helps.set(key, help);
  return help;
};

/** The command of @gpn/export, as `npx` starts it. */
const EXPORTER = '@gpn/export';
const exporter = join(root, 'export/bin/gpn-export.js');

/** What is wrong with the words of a command. */
async function objections(
  { program, args }: Command,
  folder: string,
  marked: boolean,
): Promise<string[]> {
  if (program === EXPORTER) return misuse(args, (await helpOf(exporter)).text);
  if (program !== 'gpn-cli') {
    const start = STARTS[program];
    if (start ? start(args, folder) : marked) return [];
    return marked && program === 'node' ? [] : [`${program} ${args.join(' ')} cannot be checked`];
  }
  const [name = '', ...rest] = args;
  if (name.startsWith('-')) return [];
  const { code, text } = await helpOf(bin, name);
  if (code !== 0) return [`gpn-cli has no command ${name}`];
  return misuse(rest, text).map((what) => `gpn-cli ${name} ${what}`);
}

async function shell(block: Block, folder: string): Promise<string[]> {
  const problems: string[] = [];
  const marked = block.notRun !== undefined;
  for (const command of commandsOf(block.code)) {
    problems.push(...(await objections(command, folder, marked)));
    if (marked) continue;
    const { program, args } = command;
    const starts =
      program === 'gpn-cli'
        ? isRun(command, folder) && [bin]
        : existsSync(join(folder, args[0] ?? '')) &&
          ({ node: [], [EXPORTER]: [exporter] } as Record<string, string[]>)[program];
    if (!starts) continue;
    const { code, text } = await node(folder, ...starts, ...args);
    if (code !== 0) problems.push(`${program} ${args.join(' ')} exits with ${code}: ${text}`);
  }
  return problems;
}

/** A program that begins with a comment of its name is kept for the commands of the page. */
async function program({ code, notRun, line }: Block, folder: string): Promise<string[]> {
  if (notRun !== undefined) return [];
  const named = /^\/\/ (\S+\.m?js)\n/.exec(code)?.[1];
  const file = join(folder, named ?? `line-${line}.mjs`);
  writeFileSync(file, code);
  // A named one is run by the page's own commands, which come after it.
  if (
    named !== undefined &&
    all.some((b) => b.language === 'sh' && b.code.includes(`node ${named}`))
  )
    return [];
  const { code: exit, text } = await node(folder, file);
  return exit === 0 ? [] : [`exits with ${exit}: ${text}`];
}

/** A whole recipe is read by the package, a part of one as YAML. */
async function yaml({ code, line }: Block, folder: string): Promise<string[]> {
  const value = parse(code);
  if (!value.name || !value.training) return [];
  const file = join(folder, `line-${line}.yml`);
  writeFileSync(file, code);
  resolveRecipe(file);
  return [];
}

const KINDS: Record<string, (block: Block, folder: string) => Promise<string[]>> = {
  js: program,
  sh: shell,
  yaml,
};

beforeAll(async () => {
  for (const page of new Set(all.map((block) => block.page))) await fill(folderOf(page));
});

describe.concurrent('the code blocks of', { timeout: 1_200_000 }, () => {
  for (const page of new Set(all.map((block) => block.page))) {
    test(`${page} run as they stand`, async () => {
      const problems: string[] = [];
      for (const block of all.filter((b) => b.page === page)) {
        const found = (await KINDS[block.language]?.(block, folderOf(page))) ?? [];
        problems.push(...found.map((what) => `${place(block)}: ${what}`));
      }
      expect(problems).toEqual([]);
    });
  }
});

test('every code block that is not run says why', () => {
  const marked = all.filter(({ notRun }) => notRun !== undefined);
  console.info(marked.map((block) => `${place(block)} is not run: ${block.notRun}`).join('\n'));
  expect(marked.filter(({ notRun = '' }) => notRun.trim().length < 10).map(place)).toEqual([]);
});
