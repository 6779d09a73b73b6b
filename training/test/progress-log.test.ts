import { writeSync } from 'node:fs';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { expect, test, vi } from 'vitest';
import { linesUpTo, openMetricsLog, readMetricsLog } from '../src/files/metrics-log.js';
import { temporaryFolder } from './temp-folder.js';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, writeSync: vi.fn(fs.writeSync) };
});

const dir = await temporaryFolder();

/** What a deterministic run measures after a step. */
const row = (step: number) => ({ step, discriminator: Math.fround(1 / step), generator: step / 3 });

async function run(path: string, from: number, to: number): Promise<void> {
  const log = await openMetricsLog(path, from > 0 ? (await linesUpTo(path, from)).lines : []);
  for (let step = from + 1; step <= to; step++) log.append(row(step));
  log.close();
}

test('the metrics log gives its rows back as they were', async () => {
  const path = join(dir, 'rows.jsonl');
  await run(path, 0, 3);
  expect(await readMetricsLog(path)).toEqual([row(1), row(2), row(3)]);
  expect((await readFile(path, 'utf8')).split('\n')[1]).toBe(
    '{"step":2,"discriminator":0.5,"generator":0.6666666666666666}',
  );
});

test('the metrics log has a row in its file when append returns', async () => {
  const path = join(dir, 'now.jsonl');
  const log = await openMetricsLog(path);
  log.append(row(1));
  expect(await readMetricsLog(path)).toEqual([row(1)]);
  log.close();
});

test('a new run starts an empty metrics log', async () => {
  const path = join(dir, 'new.jsonl');
  await run(path, 0, 5);
  await run(path, 0, 1);
  expect(await readMetricsLog(path)).toEqual([row(1)]);
});

test('the metrics log of a run that was killed and resumed equals that of an unbroken run', async () => {
  const unbroken = join(dir, 'unbroken.jsonl');
  await run(unbroken, 0, 12);
  const expected = await readFile(unbroken);
  const checkpoint = (await readFile(unbroken, 'utf8')).indexOf('{"step":7');
  const path = join(dir, 'killed.jsonl');
  // The lines up to the checkpoint at step 6 are in the file; later ones were cut somewhere.
  for (let length = checkpoint; length <= expected.length; length += 5) {
    await writeFile(path, expected);
    await truncate(path, length);
    await run(path, 6, 12);
    expect((await readFile(path)).equals(expected)).toBe(true);
  }
});

test('the metrics log of a diverged run keeps values that are not numbers', async () => {
  const path = join(dir, 'nan.jsonl');
  const log = await openMetricsLog(path);
  log.append({ step: 1, loss: Number.NaN, other: Number.POSITIVE_INFINITY });
  log.close();
  expect(await readMetricsLog(path)).toEqual([{ step: 1, loss: Number.NaN, other: Number.NaN }]);
});

test('the metrics log does not read a line that is not finished', async () => {
  const path = join(dir, 'going.jsonl');
  await run(path, 0, 2);
  await appendFile(path, '{"step":3,"discr');
  expect(await readMetricsLog(path)).toEqual([row(1), row(2)]);
});

test.each(['nonsense', '[]', '{}', '{"step":1,"x":"1"}', '{"step":1.5}', '{"step":null}', ''])(
  'a broken line is named: %j',
  async (line) => {
    const path = join(dir, 'broken.jsonl');
    await writeFile(path, `{"step":1}\n${line}\n{"step":2}\n`);
    await expect(readMetricsLog(path)).rejects.toThrow(
      new UserError(
        `${path}, line 2: this is not a JSON object of numbers with a step; remove the line.`,
      ),
    );
  },
);

test('the metrics log refuses a path where it cannot write or read', async () => {
  const path = join(dir, 'none', 'x.jsonl');
  await expect(openMetricsLog(path)).rejects.toThrow(
    new UserError(`Cannot write ${path}: no such file or folder.`),
  );
  await expect(readMetricsLog(path)).rejects.toThrow(
    new UserError(`Cannot read ${path}: no such file or folder.`),
  );
});

test('the metrics log reports a full disk, and completes a line written in parts', async () => {
  const path = join(dir, 'full.jsonl');
  const log = await openMetricsLog(path);
  const whole = vi.mocked(writeSync).getMockImplementation() as typeof writeSync;
  const half = (file: number, data: Uint8Array) => whole(file, data.subarray(0, 9));
  vi.mocked(writeSync).mockImplementationOnce(half as typeof writeSync);
  log.append(row(1));
  expect(await readMetricsLog(path)).toEqual([row(1)]);
  vi.mocked(writeSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  });
  expect(() => log.append(row(2))).toThrow(
    new UserError(`Cannot write ${path}: the disk is full.`),
  );
  log.close();
});
