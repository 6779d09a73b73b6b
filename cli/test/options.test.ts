/** The declarations of options, which give commander its options and TypeScript their types. */
import { expect, test } from 'vitest';
import { COMPARE, EVAL } from '../src/options/evaluation.js';
import { EXPORT } from '../src/options/export.js';
import { EXPORT_WEB } from '../src/options/export-web.js';
import { DOCTOR, INSPECT, MODELS, VERIFY } from '../src/options/inspect.js';
import { SAMPLE } from '../src/options/sample.js';
import { SCORE } from '../src/options/score.js';
import { TRAIN } from '../src/options/train.js';

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
  }),
)('%s declares each option under the name that commander gives its value', (_, { options }) => {
  for (const [name, { option }] of Object.entries(options))
    expect(option.attributeName()).toBe(name);
});
