import { type OpenOptions, openWith, type Session } from '../session/ort-session.js';
import { backend } from './backend.js';

/** Opens a model in this very thread, be it the page's or a worker's. */
export const openHere = (model: Uint8Array | string, options: OpenOptions): Promise<Session> =>
  openWith(backend, model, options);
