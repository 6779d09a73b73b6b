/** The plain routes: pictures of generators, and scores of pictures. */
import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import { classOf, type Rectangle, reasonOf, UserError } from '@gpn/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { rectangle } from '../options/declare/parsers.js';
import type { Facts, Job } from './jobs.js';
import { type Service, sendAnswer } from './service.js';
import { DRAWN } from './work.js';

/** Seconds for which caches keep a picture of the same URL. */
const FRESH = 3600;

/** Scores of a picture weigh as much as so many images: they take about as long. */
const PICTURE_ITEMS = 16;

/** The most rectangles of a request. */
const RECTANGLES = 1000;

const text = { type: 'string', maxLength: 200 } as const;
const PARAMS = { type: 'object', properties: { name: text }, required: ['name'] } as const;
const LABEL = { ...text, description: 'a class, by number or name' } as const;
const RECT = {
  ...{ type: 'string', maxLength: 200 },
  description: 'x,y,width,height in pixels; several: ?rect=…&rect=…',
} as const;

interface Draw {
  seed: number;
  count?: number;
  label?: string;
}

interface Asked {
  label?: string;
  rect?: string[];
  stride?: number;
  threshold?: number;
  format?: 'png' | 'json';
}

/** The number of images of a request: as many as `gpn-cli sample` draws. */
function countOf({ info, name }: Facts, { count, label }: Draw, most: number): number {
  const classes = info.condition?.classes;
  const rows =
    classes && (label === 'all' || (label === undefined && count === undefined)) ? classes : 1;
  const total = rows * (count ?? (classes && rows > 1 ? 10 : DRAWN));
  if (total <= most) return total;
  throw new UserError(`${name} draws at most ${most} images for a request, not ${total}.`);
}

/** @throws UserError if the generator has no such class: before anything else is answered */
function checkLabel({ info }: Facts, label: string | undefined): void {
  const isRowOfEach = label === 'all' && info.condition !== undefined;
  if (label !== undefined && !isRowOfEach) classOf(info, label);
}

export function pictures(
  app: FastifyInstance,
  service: Service,
  { version, images, shared }: { version: string; images: number; shared: boolean },
): void {
  type Named<Q = unknown> = FastifyRequest<{ Params: { name: string }; Querystring: Q }>;

  // What the bytes depend on, with what is asked for: a tag that is known before anything is drawn.
  const sources = new WeakMap<Facts, string>();
  const sourceOf = (model: Facts): string => {
    const known = sources.get(model);
    if (known !== undefined) return known;
    const source = JSON.stringify([version, arch(), model.device, model.hash]);
    const digest = createHash('sha256').update(source).digest('base64url');
    sources.set(model, digest);
    return digest;
  };

  app.get<{ Params: { name: string }; Querystring: Draw }>(
    '/generators/:name',
    {
      schema: {
        tags: ['Pictures'],
        summary: 'A grid of images, the same for the same URL',
        produces: ['image/png'],
        params: PARAMS,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            seed: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
            count: { type: 'integer', minimum: 1, maximum: images },
            label: { ...LABEL, description: `${LABEL.description}, or all: a row for each` },
          },
        },
      },
    },
    async (request, reply) => {
      const model = service.model(request.params.name, 'generator');
      const { seed, count, label } = request.query;
      checkLabel(model, label);
      const items = countOf(model, request.query, images);
      const tag = `"${sourceOf(model)}.${seed}.${count ?? ''}.${encodeURIComponent(label ?? '')}"`;
      reply.header('etag', tag);
      reply.header('cache-control', `${shared ? 'public' : 'private'}, max-age=${FRESH}`);
      if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send();
      const job: Job<'draw'> = { kind: 'draw', seed, count, label };
      const key = model.batches ? JSON.stringify([model.name, 'draw']) : undefined;
      return sendAnswer(reply, await service.submit({ model: model.name, job, items, key }, reply));
    },
  );

  const POST = (summary: string, properties: object) => ({
    tags: ['Pictures'],
    summary,
    consumes: ['image/*', 'application/octet-stream', 'multipart/form-data'],
    params: PARAMS,
    querystring: { type: 'object', additionalProperties: false, properties },
  });
  const score = async (request: Named<Asked>, reply: FastifyReply) => {
    const model = service.model(request.params.name, 'discriminator');
    const { picture, rectangles, label } = await sent(request);
    const job: Job<'score'> = { kind: 'score', picture, rectangles, label };
    const items = PICTURE_ITEMS + rectangles.length;
    return sendAnswer(reply, await service.submit({ model: model.name, job, items }, reply));
  };
  app.post<{ Params: { name: string }; Querystring: Asked }>(
    '/discriminators/:name/score',
    {
      schema: POST(
        'Scores of a picture or of rectangles of it, and p-values of a calibrated model',
        {
          label: LABEL,
          rect: { type: 'array', items: RECT, maxItems: RECTANGLES },
        },
      ),
    },
    score,
  );
  app.post<{ Params: { name: string }; Querystring: Asked }>(
    '/discriminators/:name/map',
    {
      schema: POST(
        'A map of scores over a picture: what does not belong, if the model is calibrated',
        {
          label: LABEL,
          stride: { type: 'integer', minimum: 1, maximum: 1000 },
          threshold: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
          format: { type: 'string', enum: ['png', 'json'], default: 'png' },
        },
      ),
    },
    async (request, reply) => {
      const model = service.model(request.params.name, 'discriminator');
      const { format = 'png', stride, threshold } = request.query;
      const { picture, label } = await sent(request);
      const job: Job<'map'> = { kind: 'map', picture, form: format, label, stride, threshold };
      return sendAnswer(
        reply,
        await service.submit({ model: model.name, job, items: PICTURE_ITEMS }, reply),
      );
    },
  );
}

const isKnown = (header: string | undefined, tag: string): boolean =>
  header?.split(',').some((each) => ['*', tag].includes(each.trim().replace(/^W\//, ''))) ?? false;

/** The picture of a request, as its body or in a form, with what is asked of it. */
async function sent(
  request: FastifyRequest<{ Querystring: Asked }>,
): Promise<{ picture: Uint8Array; rectangles: Rectangle[]; label: string | undefined }> {
  const { label, rect = [] } = request.query;
  if (!request.isMultipart()) {
    const { body } = request;
    if (!(body instanceof Uint8Array) || body.length === 0) throw new UserError(MISSING);
    return { picture: body, rectangles: rect.map(rectangleOf), label };
  }
  let picture: Uint8Array | undefined;
  const fields: Record<string, string[]> = { rect: [...rect], label: label ? [label] : [] };
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') {
        if (picture) throw new UserError('The form has two files: send one picture.');
        picture = await part.toBuffer();
        continue;
      }
      const list = Object.hasOwn(fields, part.fieldname) ? fields[part.fieldname] : undefined;
      if (list === undefined) {
        throw new UserError('The form has an unknown field: it takes a file, rect and label.');
      }
      list.push(String(part.value));
    }
  } catch (error) {
    throw formError(error);
  }
  if (!picture || picture.length === 0) throw new UserError(MISSING);
  if (fields.rect && fields.rect.length > RECTANGLES) {
    throw new UserError(
      `There are ${fields.rect.length} rectangles, and at most ${RECTANGLES} are taken.`,
    );
  }
  return { picture, rectangles: (fields.rect ?? []).map(rectangleOf), label: fields.label?.at(-1) };
}

/** What is wrong with a form is the client's mistake; limits have statuses of their own, the parser's errors none. */
const formError = (error: unknown): unknown =>
  error instanceof UserError || (error as { statusCode?: number }).statusCode
    ? error
    : new UserError(`The form cannot be read: ${reasonOf(error)}.`);

const MISSING = 'There is no picture: send it as the body, or as a file in a form.';

/** @throws UserError if the text is not four numbers */
function rectangleOf(text: string): Rectangle {
  try {
    return rectangle(text);
  } catch (error) {
    throw new UserError(`rect is ${text.slice(0, 80)}. ${(error as Error).message}`);
  }
}
