/** What the routes work with. */
import type { FastifyReply } from 'fastify';
import type { Task } from './dispatch.js';
import type { Answer, Facts } from './jobs.js';

export interface Service {
  models(): readonly Facts[];
  /** @throws NotFound if there is no such model, or it is of another kind */
  model(name: string, kind?: 'generator' | 'discriminator'): Facts;
  /** Whether requests are taken. */
  ready(): boolean;
  /** The answer to a task, which the end of the connection takes back. */
  submit(task: Task, reply: FastifyReply): Promise<Answer>;
}

/** Sends an answer as it is. */
export const sendAnswer = (reply: FastifyReply, { type, body }: Answer): FastifyReply =>
  reply.type(type).send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
