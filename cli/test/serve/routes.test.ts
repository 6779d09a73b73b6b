/** What the server answers, beside what the runtime computes by itself. */
import { Discriminator, Generator, type Picture } from '@gpn/runtime';
import { decode } from 'fast-png';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conditionalFile, DISCRIMINATOR, discriminatorFile } from '../../../runtime/test/tiny.js';
import { Busy } from '../../src/serve/dispatch.js';
import { bigPNG } from './pictures.js';
import { serverOf } from './server.js';

const CLASSES = ['flat', 'edgy', 'round'];
const small = conditionalFile(CLASSES);
let server: Awaited<ReturnType<typeof serverOf>>;

beforeAll(async () => {
  server = await serverOf([
    ...['dcgan-mnist', 'dcgan-mnist-discriminator', 'gpn-mnist-detector', 'judge-mnist'],
    ['small', small],
    ['sum', discriminatorFile()],
  ]);
});
afterAll(() => server.close());

const get = (url: string, headers = {}) => server.app.inject({ url, headers });
const post = (url: string, payload: string | Buffer, headers = {}) =>
  server.app.inject({ method: 'POST', url, payload, headers });

describe('a generator', () => {
  test('draws the bytes that the runtime draws of the seed', async () => {
    const generator = await Generator.load('dcgan-mnist', { device: 'cpu' });
    const images = await generator.sample({ count: 5, seed: 7 });
    const { statusCode, headers, rawPayload } = await get('/generators/dcgan-mnist?seed=7&count=5');
    expect([statusCode, headers['content-type']]).toEqual([200, 'image/png']);
    expect(new Uint8Array(rawPayload)).toEqual(await images.toPNG());
    await generator.dispose();
  });

  test('gives each of many requests its own bytes, in runs that they share', async () => {
    const generator = await Generator.load('dcgan-mnist', { device: 'cpu' });
    const asked = Array.from({ length: 40 }, (_, seed) => ({ seed, count: 1 + (seed % 3) }));
    const before = await runs();
    const answers = await Promise.all(
      asked.map(({ seed, count }) => get(`/generators/dcgan-mnist?seed=${seed}&count=${count}`)),
    );
    expect((await runs()) - before).toBeLessThan(asked.length / 2);
    for (const [k, { seed, count }] of asked.entries()) {
      const images = await generator.sample({ seed, count });
      expect(new Uint8Array(answers[k]?.rawPayload as Buffer)).toEqual(await images.toPNG());
    }
    await generator.dispose();
  });

  test('draws a class by its name, or a row of each', async () => {
    const shown = async (query: string) => {
      const { data, width, height } = decode((await get(`/generators/small?${query}`)).rawPayload);
      return [width, height, data[0]];
    };
    // The first pixel is the class, 0 to 2 in the range from −2 to 2.
    expect(await shown('count=1&label=round')).toEqual([3, 2, 255]);
    expect(await shown('count=1&label=%230')).toEqual([3, 2, 128]);
    expect(await shown('label=all&count=4')).toEqual([4 * 5 - 2, 3 * 4 - 2, 128]);
    expect(await shown('')).toEqual([10 * 5 - 2, 3 * 4 - 2, 128]);
  });

  test('is cached by its URL: a tag that is known needs no drawing', async () => {
    const url = '/generators/dcgan-mnist?seed=7&count=5';
    const { headers } = await get(url);
    expect(headers['cache-control']).toBe('public, max-age=3600');
    const tag = headers.etag as string;
    const before = await runs();
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      expect((await get(url, { 'if-none-match': known })).statusCode).toBe(304);
    }
    expect(await runs()).toBe(before);
    expect((await get(url, { 'if-none-match': '"other"' })).statusCode).toBe(200);
    const other = await get('/generators/dcgan-mnist?seed=8&count=5');
    expect(other.headers.etag).not.toBe(tag);
  });

  test.each([
    ['seed=x', 'seed must be integer.'],
    ['seed=-1', 'seed must be >= 0.'],
    ['seed=9007199254740992', 'seed must be <= 9007199254740991.'],
    ['count=101', 'count must be <= 100.'],
    ['size=3', 'The query must NOT have additional properties: size.'],
    ['label=oval', 'conditional has no class oval: its classes are 0 to 2 (flat, edgy, round).'],
    ['label=all&count=50', 'small draws at most 100 images for a request, not 150.'],
  ])('refuses %s', async (query, error) => {
    const answer = await get(`/generators/small?${query}`);
    expect([answer.statusCode, answer.json()]).toEqual([400, { error }]);
    expect([answer.headers['cache-control'], answer.headers.etag]).toEqual(['no-store', undefined]);
  });

  test.each(['/generators/none', '/generators/sum', '/discriminators/small/score', '/none'])(
    'is not found at %s',
    async (url) => {
      const { statusCode, body } = await (url.endsWith('score') ? post(url, 'x') : get(url));
      expect([statusCode, JSON.parse(body)]).toEqual([404, { error: expect.any(String) }]);
    },
  );
});

const runs = async (): Promise<number> =>
  Number(/^gpn_run_items_count (\d+)/m.exec((await get('/metrics')).body)?.[1]);

/** A picture with a gradient, and its pixels. */
async function picture(width: number, height: number): Promise<[Buffer, Picture]> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 7) % 256);
  const raw = { width, height, channels: 1 as const };
  return [await sharp(data, { raw }).png().toBuffer(), { width, height, data }];
}

describe('a discriminator', () => {
  const form = (file: Buffer, ...fields: [string, string][]) => {
    const part = (head: string, body: Buffer | string) => [
      Buffer.from(`--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ];
    const parts = [
      ...fields.flatMap(([name, value]) => part(`name="${name}"`, value)),
      ...part('name="picture"; filename="p.png"', file),
      Buffer.from('--x--\r\n'),
    ];
    return [Buffer.concat(parts), { 'content-type': 'multipart/form-data; boundary=x' }] as const;
  };

  test('scores a picture as the runtime does, sent as the body or in a form', async () => {
    const [png, pixels] = await picture(40, 30);
    const model = await Discriminator.load('dcgan-mnist-discriminator', { device: 'cpu' });
    const { values } = await model.scorePictures([pixels]);
    const url = '/discriminators/dcgan-mnist-discriminator/score';
    for (const answer of [
      await post(url, png, { 'content-type': 'image/png' }),
      await post(url, ...form(png)),
    ]) {
      expect(answer.json()).toMatchObject({ meaning: 'logit', width: 40, height: 30 });
      expect(answer.json().scores.map(({ score }: { score: number }) => score)).toEqual([
        ...values,
      ]);
    }
    await model.dispose();
  });

  test('scores rectangles, by the query or in a form', async () => {
    const [png] = await picture(6, 4);
    const all = { rectangles: ['0,0,3,2', '3,2,3,2'], scores: [0, 1] };
    const data = (await picture(6, 4))[1].data as Uint8Array;
    const sum = (x: number, y: number) =>
      [0, 1, 2, 6, 7, 8].reduce((total, at) => total + (data[y * 6 + x + at] as number) / 255, 0);
    const url = '/discriminators/sum/score';
    const query = all.rectangles.map((rect) => `rect=${rect}`).join('&');
    const fields = all.rectangles.map((rect): [string, string] => ['rect', rect]);
    for (const answer of [
      await post(`${url}?${query}`, png),
      await post(url, ...form(png, ...fields)),
    ]) {
      const [a, b] = answer.json().scores;
      expect(a.rectangle).toEqual({ x: 0, y: 0, width: 3, height: 2 });
      expect([a.score, b.score]).toEqual([
        expect.closeTo(sum(0, 0), 5),
        expect.closeTo(sum(3, 2), 5),
      ]);
    }
  });

  test('says how rare a picture is and where, and shows it, if it is calibrated', async () => {
    const [png, pixels] = await picture(60, 40);
    const model = await Discriminator.load('gpn-mnist-detector', { device: 'cpu' });
    const found = await model.detect(pixels);
    const url = '/discriminators/gpn-mnist-detector';
    const score = (await post(`${url}/score`, png)).json();
    expect([score.scores[0].p, score.regions]).toEqual([found.p, found.regions]);
    const map = (await post(`${url}/map?format=json`, png)).json();
    const { rows, columns } = found.map;
    expect(map).toMatchObject({ rows, columns, p: found.p, regions: found.regions });
    expect(Float32Array.from(map.values)).toEqual(found.map.values);
    const shown = await post(`${url}/map`, png);
    expect(shown.headers['content-type']).toBe('image/png');
    expect(decode(shown.rawPayload)).toMatchObject({ width: 60, height: 40, channels: 3 });
    await model.dispose();
  });

  test.each([
    ['score', '', 'There is no picture: send it as the body, or as a file in a form.'],
    ['score', 'GIF89a', 'The picture is cut short.'],
    ['map', 'hello', 'The picture is not a picture.'],
    ['score?rect=1,2,3', 'x', /^rect is 1,2,3\. It must be x,y,width,height in pixels/],
    ['map?threshold=2', 'x', 'threshold must be <= 1.'],
  ])('refuses %s of %j', async (path, body, error) => {
    const answer = await post(`/discriminators/sum/${path}`, body);
    const text = typeof error === 'string' ? error : expect.stringMatching(error);
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: text }]);
  });

  test('refuses a picture of too many pixels before it decodes it', async () => {
    const bomb = bigPNG(10_000, 10_000);
    const { statusCode, json } = await post('/discriminators/sum/score', bomb);
    expect([statusCode, json()]).toEqual([
      400,
      { error: 'The picture has 100 megapixels (10000 × 10000), and at most 1 are read.' },
    ]);
  });
});

describe('the server', () => {
  test('asks for its token, but for health and the page', async () => {
    const guarded = await serverOf([['small', small]], { token: 'secret' });
    const status = async (url: string, authorization?: string) =>
      (await guarded.app.inject({ url, headers: authorization ? { authorization } : {} }))
        .statusCode;
    expect(await status('/generators/small?count=1')).toBe(401);
    expect(await status('/metrics', 'Bearer secreT')).toBe(401);
    expect(await status('/none')).toBe(401);
    for (const url of ['/v2/health/live', '/v2/health/ready', '/openapi.json', '/docs/']) {
      expect([url, await status(url)]).toEqual([url, 200]);
      const told = (await guarded.app.inject(url)).body;
      expect(told, `${url} names no model`).not.toContain('small');
    }
    const url = '/generators/small?count=1';
    const { statusCode, headers } = await guarded.app.inject({
      ...{ url, headers: { authorization: 'Bearer secret' } },
    });
    expect([statusCode, headers['cache-control']]).toEqual([200, 'private, max-age=3600']);
    await guarded.close();
  });

  test('refuses what there is no room or memory for, and says when to come again', async () => {
    let hasMemory = false;
    const full = await serverOf([['small', small]], { hasMemory: () => hasMemory });
    const url = '/generators/small?count=1';
    const refused = await full.app.inject({ url });
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(refused.json().error).toBe('The memory is used up: try again in 1 s.');
    hasMemory = true;
    expect((await full.app.inject({ url })).statusCode).toBe(200);
    full.engine.dispatcher.submit = () => Promise.reject(new Busy(3));
    const busy = await full.app.inject({ url });
    expect([busy.statusCode, busy.headers['retry-after']]).toEqual([429, '3']);
    await full.close();
  });

  test('keeps its own errors to its log', async () => {
    const broken = await serverOf([['small', small]]);
    broken.engine.dispatcher.submit = () => Promise.reject(new Error('a pointer at 0xdead'));
    const { statusCode, json } = await broken.app.inject({ url: '/generators/small?count=1' });
    expect([statusCode, json()]).toEqual([500, { error: 'The server failed: its log says why.' }]);
    expect(broken.errors).toEqual(['a pointer at 0xdead']);
    await broken.close();
  });

  test('describes its routes, and has a page to try them that loads nothing of others', async () => {
    const { openapi, paths } = (await get('/openapi.json')).json();
    expect(openapi).toMatch(/^3\./);
    for (const path of ['/v2', '/generators/{name}', '/discriminators/{name}/map', '/metrics']) {
      expect(Object.keys(paths)).toContain(path);
    }
    const page = await get('/docs/');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const script = /src="([^"]*swagger-ui-bundle.js)"/.exec(page.body)?.[1] as string;
    expect((await get(new URL(script, 'http://x/docs/').pathname)).statusCode).toBe(200);
    expect((await get('/')).headers.location).toBe('/docs/');
  });

  test('lets requests share runs of a model whose rows do not depend on the batch', () => {
    const batches = [...server.engine.models.values()].map(({ name, batches }) => [name, batches]);
    // ONNX Runtime adds up the pixels of a single image in another order than those of several.
    expect(Object.fromEntries(batches)).toMatchObject({
      ...{ 'dcgan-mnist': true, 'judge-mnist': true, small: true },
      sum: false,
    });
  });

  test('does not let requests share runs of a model that takes one image at a time', async () => {
    const single = await serverOf([['one', discriminatorFile(DISCRIMINATOR, [1, 2, 3, 1])]]);
    expect(single.engine.models.get('one')?.batches).toBe(false);
    await single.close();
  });
});
