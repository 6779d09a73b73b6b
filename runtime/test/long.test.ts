// Long computations: followed, ended early, in another thread; and what is loaded over the web.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator, type LoadProgress } from '../src/node/index.js';
import { sentence } from './helpers.js';
import { generatorFile } from './tiny.js';

const cpu = { device: 'cpu' } as const;
const bytes = generatorFile();
const digest = createHash('sha256').update(bytes).digest('hex');

describe('sampling', () => {
  it('reports its progress', async () => {
    const generator = await Generator.load(bytes, cpu);
    const steps: [number, number][] = [];
    const onProgress = (done: number, total: number) => steps.push([done, total]);
    await generator.sample({ count: 20, batchSize: 8, onProgress });
    expect(steps).toEqual([
      [8, 20],
      [16, 20],
      [20, 20],
    ]);
    await generator.dispose();
  });

  it('stops between two batches when its signal is aborted, even by a timer', async () => {
    const generator = await Generator.load(bytes, cpu);
    const controller = new AbortController();
    const batches: number[] = [];
    const work = generator.sample({
      count: 100_000,
      batchSize: 1,
      signal: controller.signal,
      onProgress: (done) => batches.push(done),
    });
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(work).rejects.toThrow('enough');
    expect(batches.length).toBeGreaterThan(0);
    expect(batches.length).toBeLessThan(100_000);
    expect((await generator.sample({ count: 2 })).count).toBe(2);
    const gone = AbortSignal.abort(new Error('before'));
    await expect(generator.sample({ signal: gone })).rejects.toThrow('before');
    await expect(Generator.load(bytes, { ...cpu, signal: gone })).rejects.toThrow('before');
    await generator.dispose();
  });

  it('fails after disposal, by dispose or by Symbol.asyncDispose', async () => {
    const generator = await Generator.load(bytes, cpu);
    await generator[Symbol.asyncDispose]();
    expect(await sentence(generator.sample())).toMatch(/disposed/);
  });
});

describe('the source of a model', () => {
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer(({ url }, response) => {
      if (url === '/slow.onnx') response.write(bytes.slice(0, 10));
      else if (url === '/tiny.onnx') {
        response.setHeader('content-length', bytes.length);
        response.end(bytes);
      } else response.writeHead(404).end();
    }).listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is fetched from a URL with its digest checked and its progress reported', async () => {
    const seen: LoadProgress[] = [];
    const generator = await Generator.load(`${base}/tiny.onnx`, {
      ...cpu,
      digest,
      onProgress: (progress) => seen.push(progress),
    });
    const total = bytes.length;
    expect(seen).toContainEqual({ phase: 'fetch', done: total, total });
    expect(seen.at(-1)).toEqual({ phase: 'ready' });
    await generator.dispose();
  });

  it('may be a blob', async () => {
    const generator = await Generator.load(new Blob([bytes as BlobPart]), cpu);
    expect(generator.info.name).toBe('tiny');
    await generator.dispose();
  });

  it('is refused if it is missing, is another file, or its server does not answer', async () => {
    expect(await sentence(Generator.load(`${base}/none.onnx`, cpu))).toBe(
      `${base}/none.onnx cannot be fetched: the server answers 404.`,
    );
    expect(await sentence(Generator.load(bytes, { ...cpu, digest: '00' }))).toBe(
      `The model is not the file that was asked for: its SHA-256 is ${digest}.`,
    );
    expect(await sentence(Generator.load('http://127.0.0.1:9/x.onnx', cpu))).toMatch(
      /cannot be fetched/,
    );
  });

  it('is no longer fetched once the signal is aborted', async () => {
    const signal = AbortSignal.timeout(100);
    const work = Generator.load(`${base}/slow.onnx`, { ...cpu, signal });
    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
