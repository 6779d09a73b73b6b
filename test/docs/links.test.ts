/** Relative links of the pages lead somewhere, anchors included. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../imports.js';
import { pages, read } from './pages.js';

const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => code.slice(1, -1));

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...withoutCode(text).matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) => {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(anchors);
}

/** What is wrong with a link of a page; undefined if nothing is. */
function problem(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
  if (!existsSync(join(root, target))) return `${page}: ${link} does not exist`;
  if (anchor === undefined || statSync(join(root, target)).isDirectory()) return undefined;
  return anchorsOf(read(target)).has(anchor) ? undefined : `${page}: ${link} has no such heading`;
}

const linksOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)]
    .map(([, link]) => link as string)
    .filter((link) => !/^[a-z]+:/i.test(link));

test('every relative link and anchor of the pages leads to a file and a heading', () => {
  const problems = pages().flatMap((page) =>
    linksOf(read(page)).flatMap((link) => problem(page, link) ?? []),
  );
  expect(problems).toEqual([]);
});

test('the index docs/README.md links to every page in docs', () => {
  const index = read('docs/README.md');
  const linked = new Set(linksOf(index).map((link) => join('docs', link.split('#')[0] as string)));
  const missing = pages().filter((page) => page.startsWith('docs/') && !linked.has(page));
  expect(missing.filter((page) => page !== 'docs/README.md')).toEqual([]);
});
