/** The declarations of options, which give commander its options and TypeScript their types. */
import { expect, test, vi } from 'vitest';
import { main } from '../src/main.js';
import { CALIBRATE } from '../src/options/calibrate.js';
import { COMPARE, EVAL } from '../src/options/evaluation/eval.js';
import { FEATURES } from '../src/options/evaluation/features.js';
import { JUDGE } from '../src/options/evaluation/judge.js';
import { EXPORT } from '../src/options/export.js';
import { EXPORT_WEB } from '../src/options/export-web.js';
import { DOCTOR, INSPECT, MODELS, VERIFY } from '../src/options/inspect.js';
import { NEW } from '../src/options/new.js';
import { SAMPLE } from '../src/options/sample.js';
import { SCORE } from '../src/options/score.js';
import { MERGE, SWEEP } from '../src/options/sweep.js';
import { TRAIN } from '../src/options/train.js';
import { WORK } from '../src/options/work.js';

const WRITING = {
  CALIBRATE,
  EXPORT,
  EXPORT_WEB,
  FEATURES,
  JUDGE,
  MERGE,
  NEW,
  SAMPLE,
  SWEEP,
  TRAIN,
};

test.each(Object.entries(WRITING))('%s takes -o, whatever it writes', (_, { options }) => {
  const shorts = Object.values(options).filter(({ option }) => option.short === '-o');
  expect(shorts).toHaveLength(1);
  expect(['--out', '--output']).toContain(shorts[0]?.option.long);
});

test.each([
  ['verify', '--out', "unknown option '--out'"],
  ['merge', '--output', 'argument missing'],
  ['export', '--out', 'argument missing'],
])('%s takes %s if it writes', async (command, word, text) => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written.push(String(chunk));
    return true;
  });
  expect(await main([command, 'x', word])).toBe(2);
  vi.restoreAllMocks();
  expect(written.join('')).toContain(text);
});

test.each(
  Object.entries({
    TRAIN,
    EXPORT,
    SAMPLE,
    SCORE,
    EVAL,
    COMPARE,
    INSPECT,
    VERIFY,
    MODELS,
    EXPORT_WEB,
    DOCTOR,
    WORK,
  }),
)('%s declares each option under the name that commander gives its value', (_, { options }) => {
  for (const [name, { option }] of Object.entries(options))
    expect(option.attributeName()).toBe(name);
});
