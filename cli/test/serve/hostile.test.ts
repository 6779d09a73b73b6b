/**
 * Hostile requests: each gets a 4xx, and the next honest one its picture. Beside what is listed here,
 * `npm run bench:serve -- --idle 10000` holds ten thousand connections open.
 */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conditionalFile, discriminatorFile, LATENT } from '../../../runtime/test/tiny.js';
import { bigPNG, png } from './pictures.js';
import { serverOf } from './server.js';

let server: Awaited<ReturnType<typeof serverOf>>;
let expected: Buffer;
const HONEST = '/generators/small?count=1&seed=5';
const honest = async () => (await server.app.inject(HONEST)).rawPayload;

beforeAll(async () => {
  const models: [string, Uint8Array][] = [
    ['small', conditionalFile()],
    ['sum', discriminatorFile()],
  ];
  // Milliseconds for which a request is waited for; computing has no limit here.
  server = await serverOf(models, { timeout: 300, limits: { timeout: 600_000 } });
  await server.app.listen({ port: 0 });
  expected = await honest();
});
afterAll(() => server.close());

const range = (n: number, from = 0, step = 1) =>
  Array.from({ length: n }, (_, k) => from + k * step);
const get = (url: string): InjectOptions => ({ url });
const post = (url: string, payload: string | Buffer, headers = {}): InjectOptions => ({
  ...{ method: 'POST', url, payload, headers },
});

const PATHS = [
  ...['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', '....//', '%252e%252e%252f'].flatMap(
    (up) => [
      `/${up}${up}etc/passwd`,
      `/generators/${up}${up}${up}etc/passwd`,
      `/generators/small${up}`,
      `/docs/static/${up}${up}package.json`,
      `/v2/models/${up}small/infer`,
    ],
  ),
  ...[
    '%00',
    'small%00',
    'small.onnx',
    '%zz',
    '%',
    'a'.repeat(5000),
    '__proto__',
    'constructor',
  ].flatMap((name) => [`/generators/${name}`, `/v2/models/${name}`, `/v2/models/${name}/ready`]),
  ...['toString', 'hasOwnProperty', '*', 'file:%2f%2f%2fetc%2fpasswd', 'C:%5c'].map(
    (name) => `/generators/${name}`,
  ),
  ...['//etc/passwd', '/.env', '/.git/config', '/v3', '/v2/', '/metrics/x', '/docs/static/none.js'],
];

const QUERIES = [
  ...['-1', '1.5', '1e400', 'NaN', 'Infinity', ' ', 'null', '[]', '9007199254740993'].flatMap(
    (value) => [`seed=${value}`, `count=${value}`],
  ),
  ...['count=0', 'count=101', 'count=1000000000', 'seed=1&seed=2', 'count=1&count=2'],
  ...['label=3', 'label=-1', 'label=%00', 'label=all&count=99', 'label=__proto__', 'label=#9'],
  ...[`label=${'x'.repeat(300)}`, 'label=a&label=b', 'label=%E2%82'],
  ...['__proto__=1', 'constructor[prototype]=1', 'latents=/etc/passwd', 'out=/tmp/x', 'model=x'],
];

const FEEDS: [string, number[]][] = [
  ['z', [1, LATENT]],
  ['label', [1, 3]],
  ['codes', [1, 2]],
];
const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
const infer = (change: (inputs: Record<string, unknown>[]) => void = () => {}, more = {}) => {
  const inputs = FEEDS.map(([name, shape]): Record<string, unknown> => {
    return { name, shape, datatype: 'FP32', data: Array(product(shape)).fill(0) };
  });
  change(inputs);
  return JSON.stringify({ inputs, ...more });
};
const first = (change: object) => infer(([z]) => Object.assign(z as object, change));
const INFER = '/v2/models/small/infer';
const LENGTH = 'inference-header-content-length';

const binaryHead = JSON.stringify({
  inputs: FEEDS.map(([name, shape]) => ({
    ...{ name, shape, datatype: 'FP32', parameters: { binary_data_size: 4 * product(shape) } },
  })),
});
const binaryBody = Buffer.concat([Buffer.from(binaryHead), Buffer.alloc(4 * (LATENT + 3 + 2))]);
const head = { [LENGTH]: `${binaryHead.length}` };

const BODIES = [
  ...range(60, 0, 3).map((length) => post(INFER, infer().slice(0, length))),
  ...[
    [],
    [1],
    [4],
    [1, 1, 4],
    [1, -4],
    [-1, 4],
    [0, 4],
    [1.5, 4],
    [1, 4e300],
    ['1', 4],
    [null, 4],
  ].map((shape) => post(INFER, first({ shape }))),
  ...[{}, 'x', 4, null, [[1, 4]], [2 ** 53, 4], [2 ** 31, 4], [1, 4, 1, 1, 1, 1]].map((shape) =>
    post(INFER, first({ shape })),
  ),
  ...['FP64', 'FP16', 'INT8', 'INT64', 'BYTES', 'BOOL', 'fp32', '', 1, null, {}, []].map(
    (datatype) => post(INFER, first({ datatype })),
  ),
  ...[{}, 'AAAA', null, [], [1], [1, 2, 3, 'x'], [null, 1, 2, 3], Array(1e5).fill(0)].map((data) =>
    post(INFER, first({ data })),
  ),
  ...['', 'x', '__proto__', null, 1, {}].map((name) => post(INFER, first({ name }))),
  ...[{ outputs: [{}] }, { outputs: 1 }, { outputs: [{ name: 'x' }] }, { inputs: {} }].map((more) =>
    post(INFER, infer(undefined, more)),
  ),
  post(INFER, infer(undefined, { outputs: Array(3).fill({ name: 'image' }) })),
  post(INFER, `[${'['.repeat(200_000)}`),
  post(INFER, Buffer.from([0xff, 0xfe, 0x7b, 0x7d])),
  ...['1e999', '-1e999', '1e39', 'NaN', '-Infinity'].map((value) =>
    post(INFER, infer().replace('[0,', `[${value},`)),
  ),
  ...['deflate', 'br', 'gzip, gzip', 'x'].map((encoding) =>
    post(INFER, infer(), { 'content-encoding': encoding }),
  ),
  post(INFER, infer().replace('[0,0,0,0]', '['.repeat(50_000) + ']'.repeat(50_000))),
  post(INFER, infer(), { 'content-type': '////' }),
  post(INFER, gzipSync(infer()), { 'content-encoding': 'gzip' }),
  post(INFER, Buffer.alloc(2 ** 20 + 1, ' ')),
  ...range(30, 0, 9).map((length) => post(INFER, binaryBody.subarray(0, length), head)),
  ...['-1', '1e2', '0x10', '99999999999', '', '0', '1', `${binaryHead.length - 1}`].map((length) =>
    post(INFER, binaryBody, { [LENGTH]: length }),
  ),
  ...[-1, 0, 15, 17, 2 ** 40, '16', null].map((size) => {
    const json = binaryHead.replace(
      '"binary_data_size":16',
      `"binary_data_size":${JSON.stringify(size)}`,
    );
    return post(INFER, json + '\0'.repeat(36), { [LENGTH]: `${json.length}` });
  }),
];

const form = (text: string, type = 'multipart/form-data; boundary=x') =>
  post('/discriminators/sum/score', text, { 'content-type': type });
const field = (name: string, value: string, more = '') =>
  `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const FILE = '; filename="p.png"';
const FORMS = [
  ...[
    '',
    '--x',
    '--x--',
    '--x--\r\n',
    '--y\r\n\r\n',
    '--x\r\nContent-Disposition: form-data\r\n\r\n',
  ].map((text) => form(text)),
  form(`${field('a', 'x', FILE)}${field('b', 'x', FILE)}--x--`),
  form(`${field('file', '/etc/passwd')}--x--`),
  form(`${field('__proto__', '1')}${field('p', 'x', FILE)}--x--`),
  form(`${field('rect', '1,2')}${field('p', 'x', FILE)}--x--`),
  form(`${field('rect', '0,0,1,1').repeat(2000)}${field('p', 'x', FILE)}--x--`),
  form(`${field('label', 'y'.repeat(5000))}${field('p', 'x', FILE)}--x--`),
  form(field('p', 'x', FILE)),
  form('x', 'multipart/form-data'),
];

const small = png(6, 4);
const PICTURES = ['score', 'map'].flatMap((route) => {
  const url = `/discriminators/sum/${route}`;
  return [
    ...range(12, 0, 5).map((length) => post(url, small.subarray(0, length))),
    ...[
      [20_000, 20_000],
      [1e9, 1],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [0, 0],
    ].map(([width, height]) => post(url, bigPNG(width as number, height as number))),
    ...[
      'GIF89a',
      'RIFF0000WEBP',
      '\x89PNG\r\n\x1a\n',
      'BM',
      '%PDF-1.4',
      '<svg onload="x"/>',
      '\0',
    ].map((text) => post(url, Buffer.from(text, 'latin1'))),
    post(url, Buffer.alloc(2 ** 20 + 1)),
    post(`${url}?label=1`, small),
  ];
});
const RECTANGLES = [
  '0,0,0,1',
  '-9,0,1,1',
  '0,0,99,1',
  '1e300,0,1,1',
  'a,b,c,d',
  '',
  ',,,',
  '1,1',
].map((rect) => post(`/discriminators/sum/score?rect=${rect}`, small));
const METHODS = (['PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const).flatMap((method) =>
  [HONEST, INFER, '/v2', '/metrics', '/docs/', '/openapi.json'].map((url) => ({ method, url })),
);

const TAGS = ['label=3', 'label=none', 'count=0'].map((query) => ({
  url: `/generators/small?${query}`,
  headers: { 'if-none-match': '*' },
}));

const ALL: [string, InjectOptions[]][] = [
  ['paths', PATHS.map(get)],
  ['queries', [...QUERIES.map((query) => get(`/generators/small?${query}`)), ...TAGS]],
  ['tensors', BODIES],
  ['forms', FORMS],
  ['pictures', [...PICTURES, ...RECTANGLES]],
  ['methods', METHODS],
];

test('there are more than 300 hostile requests', () => {
  expect(ALL.flatMap(([, requests]) => requests).length).toBeGreaterThan(300);
});

test.each(ALL)(
  'hostile %s get a 4xx, and the next honest request its picture',
  async (_, requests) => {
    const wrong: unknown[] = [];
    for (const request of requests) {
      const { statusCode, body } = await server.app.inject(request);
      const shown = JSON.stringify(request).slice(0, 300);
      if (!(statusCode >= 400 && statusCode < 500))
        wrong.push([shown, statusCode, body.slice(0, 200)]);
      if (!(await honest()).equals(expected)) wrong.push([shown, 'the next request failed']);
    }
    expect(wrong).toEqual([]);
    expect(server.errors).toEqual([]);
  },
);

const HOST = 'Host: x\r\n';
test.each([
  ['a flood of headers', `GET /v2 HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(10_000)}\r\n`, 431],
  ['a long header', `GET /v2 HTTP/1.1\r\n${HOST}X: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
  ['no request', 'hello\r\n\r\n', 400],
  ['binary', '\x16\x03\x01\x02\0\x01\0', 400],
  ['no host', 'GET /v2 HTTP/1.1\r\n\r\n', 400],
  ['a space in a header', `GET /v2 HTTP/1.1\r\n${HOST}X : y\r\n\r\n`, 400],
  [
    'two lengths',
    `POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    400,
  ],
  ['a negative length', `POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`, 400],
  ['a huge length', `POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: 99999999999\r\n\r\n`, 413],
  [
    'a length and chunks',
    `POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'a bad chunk',
    `POST ${INFER} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    400,
  ],
  [
    'a request within another, by a length and chunks',
    `POST ${INFER} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n` +
      '1c\r\nGET /metrics HTTP/1.1\r\n\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'a chunk that is too large to count',
    `POST ${INFER} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\n`,
    400,
  ],
  ['two hosts', `GET /v2 HTTP/1.1\r\n${HOST}Host: y\r\n\r\n`, 400],
  ['ends of lines without a return', `GET /v2 HTTP/1.1\n${HOST}\n`, 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a proxy’s request', `CONNECT x:80 HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['an address of a file', `GET file:///etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['another expectation', `GET /v2 HTTP/1.1\r\n${HOST}Expect: 200-maybe\r\n\r\n`, 417],
  ['a slow body', `POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n{`, 408],
  ['slow headers', 'GET /v2 HT', 408],
  ['another path upwards', `GET /../../etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
])('%s gets its status', async (name, text, status) => {
  const { port } = server.app.server.address() as AddressInfo;
  const socket = connect(port, 'localhost').on('error', () => {});
  socket.write(text, 'latin1');
  const [answer] = await once(socket, 'data');
  expect(Number(/^HTTP\/1\.1 (\d+)/.exec(String(answer))?.[1])).toBe(status);
  // Node itself answers two of them, without a body.
  const isNodes = ['no host', 'another expectation'].includes(name);
  expect(String(answer)).toMatch(isNodes ? /\r\n\r\n/ : /\r\n\r\n\{"error":"[^"]+"\}$/);
  socket.destroy();
  expect(await honest()).toEqual(expected);
});

test('a connection that says nothing is closed', async () => {
  const { port } = server.app.server.address() as AddressInfo;
  const socket = connect(port, 'localhost').on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  expect(await honest()).toEqual(expected);
});
