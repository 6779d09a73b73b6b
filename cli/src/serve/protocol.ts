/** The Open Inference Protocol, version 2, as KServe and Triton have it: routes under /v2. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Facts, Job } from './jobs.js';
import { type Service, sendAnswer } from './service.js';
import { described, inferenceOf, JSON_LENGTH, VERSION } from './tensors.js';

/** The most bytes of JSON: parsing more would keep the server from answering others. */
const JSON_BYTES = 4 * 2 ** 20;

const TAG = { tags: ['Open Inference Protocol'] };
const text = { type: 'string' } as const;
const NAMED = { type: 'object', properties: { name: text }, required: ['name'] } as const;
const VERSIONED = {
  type: 'object',
  properties: { name: text, version: { type: 'string', enum: [VERSION] } },
  required: ['name', 'version'],
} as const;

/** What requests with the same key can share a run: the same sizes, but for the first. */
const keyOf = ({ name, batches }: Facts, job: Job<'infer'>): string | undefined =>
  batches
    ? JSON.stringify([
        name,
        'infer',
        job.inputs.map(({ name, shape }) => [name, shape.slice(1)]).sort(),
      ])
    : undefined;

export function protocol(app: FastifyInstance, service: Service, version: string): void {
  type Named = FastifyRequest<{ Params: { name: string } }>;
  const modelOf = (request: Named): Facts => service.model(request.params.name);

  app.get('/v2', { schema: { ...TAG, summary: 'The server' } }, () => ({
    name: 'gpn-cli',
    version,
    extensions: ['binary_tensor_data', 'model_repository'],
  }));
  const health = (path: string, summary: string, ready: () => boolean) =>
    app.get(`/v2/health/${path}`, { schema: { ...TAG, summary } }, (_, reply) =>
      reply.code(ready() ? 200 : 503).send({ [path]: ready() }),
    );
  health('live', 'Whether the server runs', () => true);
  health('ready', 'Whether the server takes requests', () => service.ready());
  app.post('/v2/repository/index', { schema: { ...TAG, summary: 'All models' } }, () =>
    service.models().map(({ name }) => ({ name, version: VERSION, state: 'READY', reason: '' })),
  );

  const infer = async (request: Named, reply: FastifyReply) => {
    const model = modelOf(request);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const length = request.headers[JSON_LENGTH] as string | undefined;
    const { job, timeout } = inferenceOf(model, body, length, JSON_BYTES);
    const items = job.inputs[0]?.shape[0] ?? 1;
    const task = { model: model.name, job, items, key: keyOf(model, job), timeout };
    const answer = await service.submit(task, reply);
    if (answer.json !== undefined) reply.header(JSON_LENGTH, answer.json);
    return sendAnswer(reply, answer);
  };

  for (const [path, params] of [
    ['/v2/models/:name', NAMED],
    ['/v2/models/:name/versions/:version', VERSIONED],
  ] as const) {
    app.get<{ Params: { name: string } }>(
      path,
      { schema: { ...TAG, summary: 'The inputs and outputs of a model', params } },
      (request) => {
        const { name, inputs, outputs } = modelOf(request);
        return {
          ...{ name, versions: [VERSION], platform: 'onnxruntime_onnx' },
          inputs: inputs.map(described),
          outputs: outputs.map(described),
        };
      },
    );
    app.get<{ Params: { name: string } }>(
      `${path}/ready`,
      { schema: { ...TAG, summary: 'Whether a model takes requests', params } },
      (request, reply) => {
        const { name } = modelOf(request);
        return reply.code(service.ready() ? 200 : 503).send({ name, ready: service.ready() });
      },
    );
    app.post<{ Params: { name: string } }>(
      `${path}/infer`,
      {
        schema: {
          ...{ ...TAG, summary: 'Run a model on tensors', params },
          consumes: ['application/json', 'application/octet-stream'],
        },
      },
      infer,
    );
  }
}
