/** The pages of the repository, and the code blocks in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages, root } from '../imports.js';

/** A fenced block of code. */
export interface Block {
  /** The page, relative to the root. */
  readonly page: string;
  /** The line of the page where its code starts. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The reason of `<!-- not run: reason -->` before it. */
  readonly notRun?: string;
}

const within = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));

/** All pages, relative to the root; neither generated ones nor those of dependencies. */
export const pages = (): string[] =>
  ['.', ...packages, 'test']
    .flatMap((folder) => within(folder, false))
    .concat(within('docs', true))
    .filter((page) => !/node_modules|^docs\/api\//.test(page))
    .sort();

export const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The blocks of a page, in order. */
export function blocksOf(page: string, text = read(page)): Block[] {
  const found: Block[] = [];
  const pattern = /(?:^<!-- not run: (.*) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm;
  for (const { 1: notRun, 2: language = '', 3: code = '', index, 0: all } of text.matchAll(
    pattern,
  )) {
    const start = index + all.indexOf('```');
    const line = text.slice(0, start).split('\n').length + 1;
    found.push({ page, line, language, code, ...(notRun !== undefined && { notRun }) });
  }
  return found;
}
