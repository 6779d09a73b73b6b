/** Graph models whose results depend on decisions: each is run with values that decide otherwise. */
import { randomUUID } from 'node:crypto';
