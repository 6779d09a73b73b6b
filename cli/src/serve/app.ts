/** The HTTP server: its routes, its limits and its errors. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { reasonOf, UserError } from '@gpn/runtime';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { Busy, Late, Refused } from './dispatch.js';
import type { Engine } from './engine.js';
import type { Metrics } from './metrics.js';
import { pictures } from './pictures.js';
import { protocol } from './protocol.js';
import type { Service } from './service.js';

export interface AppOptions {
  readonly version: string;
  /** The bearer token that requests need, but for health and the description of the routes. */
  readonly token?: string | undefined;
  /** The most bytes of a body. */
  readonly body: number;
  /** The most images, or rows, of a request. */
  readonly images: number;
  /** Milliseconds within which a request must have arrived. */
  readonly timeout: number;
  /** Whether there is memory for further requests. */
  readonly hasMemory: () => boolean;
  /** Told of errors that are the server's own. */
  readonly onError: (sentence: string) => void;
}

class NotFound extends Error {}
class Unsupported extends Error {}

/** The statuses of errors, each with a class of its own. */
const STATUSES: readonly [new (...args: never[]) => Error, number][] = [
  [NotFound, 404],
  [Unsupported, 415],
  [UserError, 400],
  [Refused, 400],
  [Busy, 429],
  [Late, 503],
];

/**
 * Milliseconds after which a request is told that there is no room: whoever asks again at once would otherwise take
 * the time of those who are answered, and of `live`.
 */
const REFUSAL_DELAY = 500;

/** Paths that need no token: for probes, and to find out what needs one. */
const OPEN = /^\/(v2\/health\/(live|ready)|openapi\.json|docs(\/.*)?)$/;

/** What is said where no route is reached: to Node's errors by their codes, and to others. */
const BROKEN: Readonly<Record<string, [status: string, sentence: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in its time.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too long.'],
  CONNECT: ['405 Method Not Allowed', 'The server is no proxy.'],
};

/** Answers what is no request of HTTP, and ends the connection. */
function refuse(socket: Duplex, code = ''): void {
  if (socket.destroyed || code === 'ECONNRESET') return;
  const [status, sentence] = BROKEN[code] ?? ['400 Bad Request', 'This is no request of HTTP/1.1.'];
  const body = JSON.stringify({ error: sentence });
  const head = ['content-type: application/json', `content-length: ${body.length}`];
  if (socket.writable) {
    socket.write([`HTTP/1.1 ${status}`, ...head, 'connection: close', '', body].join('\r\n'));
  }
  socket.destroy();
}

/** What the headers of a request ask for and is not done. */
function unheardOf({ headers, rawHeaders }: IncomingMessage): Error | undefined {
  const hosts = rawHeaders.filter((name, k) => k % 2 === 0 && /^host$/i.test(name)).length;
  if (hosts > 1) return new UserError('The request has several headers Host.');
  const encoding = headers['content-encoding'];
  if (encoding === undefined || /^(identity)?$/i.test(encoding)) return undefined;
  return new Unsupported('The body is read as it is: send it without Content-Encoding.');
}

/** What the page of the routes may load: its own files, and nothing of others. */
const PAGE = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

export async function appOf(
  current: () => Engine | undefined,
  metrics: Metrics,
  options: AppOptions,
): Promise<FastifyInstance> {
  const { version, token, body, images, timeout, hasMemory } = options;
  const app = fastify({
    bodyLimit: body,
    requestTimeout: timeout,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    // A client that sends no request is not waited for longer than this.
    http: { headersTimeout: Math.min(timeout, 10_000), connectionsCheckingInterval: 1000 },
    schemaErrorFormatter: ([first]) =>
      new UserError(
        `${(first?.instancePath ?? '').slice(1).replaceAll('/', ' ') || 'The query'} ${first?.message}` +
          `${first?.params.additionalProperty ? `: ${String(first.params.additionalProperty).slice(0, 80)}` : ''}.`,
      ),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array' } },
    clientErrorHandler: ({ code }, socket) => refuse(socket, code),
    frameworkErrors: ({ statusCode = 400 }, _, reply: FastifyReply) => {
      reply.code(statusCode).send({ error: 'The path of the request cannot be read.' });
    },
  });
  app.server.on('connect', (_, socket) => refuse(socket, 'CONNECT'));
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });

  const service: Service = {
    models: () => [...(current()?.models.values() ?? [])],
    model: (name, kind) => {
      const found = current()?.models.get(name);
      const kinds = { generator: ['generator'], discriminator: ['discriminator', 'critic'] };
      if (found && (!kind || kinds[kind].includes(found.info.kind))) return found;
      throw new NotFound(`There is no ${kind ?? 'model'} of this name here.`);
    },
    ready: () => !closing && current() !== undefined,
    submit: (task, reply) => {
      const engine = current();
      if (engine === undefined) throw new NotFound('The server is ending.');
      if (task.items > images) {
        throw new UserError(`A request has at most ${images} images or rows, not ${task.items}.`);
      }
      if (!hasMemory()) throw new Busy(engine.dispatcher.seconds, 'The memory is used up');
      return engine.dispatcher.submit(task, (leave) => {
        if (reply.raw.destroyed) leave();
        else reply.raw.once('close', leave);
      });
    },
  };

  app.addHook('onRequest', (request, _, done) => done(unheardOf(request.raw)));
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    metrics.answered(
      method,
      routeOptions.url ?? 'none',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
  });
  if (token !== undefined) {
    app.addHook('onRequest', async (request, reply) => {
      if (OPEN.test(request.routeOptions.url ?? '')) return;
      if (isSame(request.headers.authorization ?? '', `Bearer ${token}`)) return;
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ error: 'The request needs the header Authorization: Bearer TOKEN.' });
    });
  }
  app.setErrorHandler(async (error: FastifyError, _, reply) => {
    const [, known] = STATUSES.find(([kind]) => error instanceof kind) ?? [];
    const told = error.statusCode !== undefined && error.statusCode < 500;
    const status = known ?? (told ? error.statusCode : undefined) ?? 500;
    if (error instanceof Busy || error instanceof Late) {
      const seconds = error instanceof Busy ? error.seconds : 1;
      reply.header('retry-after', seconds);
    }
    if (error instanceof Busy) await sleep(REFUSAL_DELAY);
    if (status === 500 && !reply.raw.destroyed) options.onError(reasonOf(error));
    const sentence = status === 500 ? 'The server failed: its log says why.' : error.message;
    return reply
      .code(status as number)
      .header('cache-control', 'no-store')
      .removeHeader('etag')
      .send({ error: sentence });
  });
  app.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ error: 'There is nothing here: /docs lists what there is.' }),
  );

  // Bodies stay bytes: what they must be depends on the route and on the model.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, bytes, done) => done(null, bytes));
  await app.register(multipart, {
    limits: {
      files: 1,
      parts: 1100,
      fields: 1050,
      fieldSize: 1000,
      fieldNameSize: 100,
      fileSize: body,
    },
  });
  await app.register(swagger, {
    openapi: {
      info: { title: 'gpn-cli serve', version },
      ...(token !== undefined && {
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
        security: [{ token: [] }],
      }),
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/', { schema: { hide: true } }, (_, reply) => reply.redirect('/docs/'));
  app.get(
    '/metrics',
    { schema: { summary: 'Counts, in the format of Prometheus' } },
    async (_, reply) => reply.type(metrics.type).send(await metrics.text()),
  );
  protocol(app, service, version);
  pictures(app, service, { version, images, shared: token === undefined });
  return app;
}

/** Compares texts in a time that says nothing of them. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
