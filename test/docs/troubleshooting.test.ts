import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packages, root, sources } from '../imports.js';

const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');

/** The texts of all sources, in which `…` stands for what a sentence fills in, in one line each. */
const written = packages
  .flatMap(sources)
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')
  .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
  .replaceAll(/[`'] \+\s*[`']/g, '');

/** Put together from several parts in the sources; their own tests quote them whole. */
const COMPOSED = ['must be left out with the method', '(did you mean'];

/** The parts of the sentences that the page quotes as symptoms, between what they fill in. */
const quoted = [...page.matchAll(/^\| `([^`]*…[^`]*|[^`]*\.)`/gm)].flatMap(([, text = '']) =>
  text
    .split('…')
    .map((part) => part.trim())
    .filter((part) => part.split(' ').length > 2 && !COMPOSED.includes(part)),
);

describe('the page on troubleshooting', () => {
  it('quotes sentences', () => {
    expect(quoted.length).toBeGreaterThan(12);
  });

  it.each(quoted)('quotes a sentence of the sources: %s', (part) => {
    expect(written.includes(part), part).toBe(true);
  });
});
