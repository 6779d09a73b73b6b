/** The Open Inference Protocol, beside the runtime's own sessions. */
import { openSession, type TensorData } from '@gpn/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conditionalFile, LATENT } from '../../../runtime/test/tiny.js';
import { serverOf } from './server.js';

const file = conditionalFile();
let server: Awaited<ReturnType<typeof serverOf>>;
let expected: TensorData;

const ROWS = 2;
const FEEDS = {
  z: { shape: [ROWS, LATENT], data: Float32Array.from({ length: ROWS * LATENT }, (_, i) => i / 3) },
  label: { shape: [ROWS, 3], data: Float32Array.of(0, 0, 1, 0, 1, 0) },
  codes: { shape: [ROWS, 2], data: Float32Array.of(0.1, -0.2, 1 / 3, 2) },
};

beforeAll(async () => {
  server = await serverOf([['small', file]]);
  const session = await openSession(file, { device: 'cpu', threads: 1 });
  const feeds = Object.entries(FEEDS).map(([name, each]) => [name, { dtype: 'float32', ...each }]);
  expected = (await session.run(Object.fromEntries(feeds))).image as TensorData;
  await session.dispose();
});
afterAll(() => server.close());

const MODEL = '/v2/models/small';
const post = (payload: string | Buffer, headers: Record<string, string> = {}, url = MODEL) =>
  server.app.inject({ method: 'POST', url: `${url}/infer`, payload, headers });

type Tensor = { name: string; shape: number[]; datatype: string; [key: string]: unknown };
const inputs = (): Tensor[] =>
  Object.entries(FEEDS).map(([name, { shape, data }]) => ({
    ...{ name, shape, datatype: 'FP32', data: Array.from(data) },
  }));

/** The inputs as bytes behind the JSON. */
function binary(more: object = {}) {
  const json = JSON.stringify({
    inputs: Object.entries(FEEDS).map(([name, { shape, data }]) => ({
      ...{ name, shape, datatype: 'FP32', parameters: { binary_data_size: data.byteLength } },
    })),
    ...more,
  });
  const body = Buffer.concat([json, ...Object.values(FEEDS).map(({ data }) => data)].map(bytesOf));
  return [body, { 'inference-header-content-length': `${Buffer.byteLength(json)}` }] as const;
}
const bytesOf = (part: string | Float32Array) =>
  typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer);

test('the server, its models and their tensors describe themselves', async () => {
  const { app } = server;
  const get = async (url: string) => (await app.inject(url)).json();
  expect(await get('/v2')).toEqual({
    ...{ name: 'gpn-cli', version: '1.2.3' },
    extensions: ['binary_tensor_data', 'model_repository'],
  });
  expect(await get('/v2/health/live')).toEqual({ live: true });
  expect(await get('/v2/health/ready')).toEqual({ ready: true });
  const index = await app.inject({ method: 'POST', url: '/v2/repository/index' });
  expect(index.json()).toEqual([{ name: 'small', version: '1', state: 'READY', reason: '' }]);
  for (const url of [MODEL, `${MODEL}/versions/1`]) {
    expect(await get(url)).toEqual({
      ...{ name: 'small', versions: ['1'], platform: 'onnxruntime_onnx' },
      inputs: [
        { name: 'z', datatype: 'FP32', shape: [-1, LATENT] },
        { name: 'label', datatype: 'FP32', shape: [-1, 3] },
        { name: 'codes', datatype: 'FP32', shape: [-1, 2] },
      ],
      outputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 2, 3, 1] }],
    });
    expect(await get(`${url}/ready`)).toEqual({ name: 'small', ready: true });
  }
  expect((await app.inject('/v2/models/none')).statusCode).toBe(404);
  expect((await app.inject('/v2/models/none/ready')).statusCode).toBe(404);
  expect((await app.inject(`${MODEL}/versions/2`)).statusCode).toBe(400);
});

test('tensors as JSON, flat or nested, give what a session gives', async () => {
  const nested = inputs();
  const [z] = nested as [Tensor];
  const flat = z.data as number[];
  z.data = [flat.slice(0, LATENT), flat.slice(LATENT)];
  for (const sent of [inputs(), nested]) {
    const answer = await post(JSON.stringify({ id: 'mine', inputs: sent }));
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({
      ...{ model_name: 'small', model_version: '1', id: 'mine' },
      outputs: [
        {
          name: 'image',
          datatype: 'FP32',
          shape: [ROWS, 2, 3, 1],
          data: Array.from(expected.data as Float32Array),
        },
      ],
    });
  }
});

test.each([
  ['the request', { parameters: { binary_data_output: true } }],
  ['the output', { outputs: [{ name: 'image', parameters: { binary_data: true } }] }],
])('tensors as bytes give the bits that a session gives, if %s asks for bytes', async (_, more) => {
  const { headers, rawPayload } = await post(...binary(more), `${MODEL}/versions/1`);
  const length = Number(headers['inference-header-content-length']);
  const json = JSON.parse(rawPayload.subarray(0, length).toString());
  const size = expected.data.byteLength;
  expect(json.outputs).toEqual([
    {
      name: 'image',
      datatype: 'FP32',
      shape: [ROWS, 2, 3, 1],
      parameters: { binary_data_size: size },
    },
  ]);
  expect(rawPayload.subarray(length)).toEqual(Buffer.from(expected.data.buffer));
});

test('bytes in, JSON out', async () => {
  const { headers, json } = await post(...binary());
  expect(headers['inference-header-content-length']).toBeUndefined();
  expect(Float32Array.from(json().outputs[0].data)).toEqual(expected.data);
});

test('values that JSON has no numbers for are given as bytes alone', async () => {
  const sent = (more: object) => {
    const [body, headers] = binary(more);
    body.writeFloatLE(Number.NaN, Number(headers['inference-header-content-length']));
    return post(body, headers);
  };
  const json = await sent({});
  expect([json.statusCode, json.json()]).toEqual([
    400,
    { error: 'The output "image" has a value that is no number in JSON: ask for it as bytes.' },
  ]);
  const { statusCode, headers, rawPayload } = await sent({
    parameters: { binary_data_output: true },
  });
  expect(statusCode).toBe(200);
  const tail = rawPayload.subarray(Number(headers['inference-header-content-length']));
  const values = Array.from({ length: tail.length / 4 }, (_, k) => tail.readFloatLE(4 * k));
  expect(values.filter(Number.isNaN).length).toBeGreaterThan(0);
  // The other row is as it was.
  const half = tail.length / 2;
  expect(tail.subarray(half)).toEqual(Buffer.from(expected.data.buffer).subarray(half));
});

const changed = (change: (inputs: Tensor[]) => unknown): string => {
  const list = inputs();
  return JSON.stringify({ inputs: change(list) ?? list });
};
const first = (change: (z: Tensor) => void) =>
  changed((list) => {
    change(list[0] as Tensor);
  });

test.each([
  ['', 'The body is not JSON.'],
  ['{', 'The body is not JSON.'],
  ['[]', 'The body must be an object.'],
  ['{}', '"inputs" must be a list.'],
  ['{"inputs":[3]}', 'An input must be an object.'],
  ['{"inputs":[]}', 'small needs the input "z" as well.'],
  [changed((list) => list.slice(1)), 'small needs the input "z" as well.'],
  [changed((list) => [...list, list[0]]), 'An input is given twice.'],
  [first((z) => (z.name = 'x')), 'small has no input "x": it takes "z", "label", "codes".'],
  [first((z) => (z.datatype = 'FP64')), 'The input "z" must be of the datatype FP32, not "FP64".'],
  [first((z) => (z.shape = [2, 5])), 'The input "z" must have the shape [any, 4], not [2,5].'],
  [first((z) => (z.shape = [0, 4])), 'The input "z" must have the shape [any, 4], not [0,4].'],
  [first((z) => (z.shape = [-1, 4])), 'The input "z" must have the shape [any, 4], not [-1,4].'],
  [
    first((z) => (z.shape = [1e300, 4])),
    'The input "z" must have the shape [any, 4], not [1e+300,4].',
  ],
  [
    first((z) => (z.shape = [3, 4])),
    'The data of "z" must be 12 numbers, as its shape [3,4] says.',
  ],
  [first((z) => (z.data = 'AAAA')), 'The data of "z" must be a list.'],
  [
    first((z) => (z.data = Array(8).fill('1'))),
    'The data of "z" must be 8 numbers, as its shape [2,4] says.',
  ],
  [
    first((z) => {
      z.shape = [1, 4];
      z.data = [1, 2, 3, 4];
    }),
    'The input "label" has 2 rows, and "z" 1.',
  ],
  [
    JSON.stringify({ inputs: inputs(), outputs: [{ name: 'x' }] }),
    'small has no output "x": it gives "image".',
  ],
])('refuses %s', async (body, error) => {
  const { statusCode, json } = await post(body);
  expect([statusCode, json()]).toEqual([400, { error }]);
});

test('refuses bytes that do not fit what the JSON says', async () => {
  const [body, headers] = binary();
  const refused = async (
    bytes: Buffer,
    length: string = headers['inference-header-content-length'],
  ) => {
    const answer = await post(bytes, { 'inference-header-content-length': length });
    expect(answer.statusCode).toBe(400);
    return answer.json().error as string;
  };
  expect(await refused(body.subarray(0, -1))).toMatch(
    /needs 16 bytes: binary_data_size is 16, and 15/,
  );
  expect(await refused(Buffer.concat([body, Buffer.of(1)]))).toBe(
    '1 bytes at the end belong to no input.',
  );
  for (const length of ['-1', '1e3', '99999999', 'x', '']) {
    expect(await refused(body, length)).toMatch(/The header inference-header-content-length is/);
  }
});
