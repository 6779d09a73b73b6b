/** The styles of pages of the demo: what they share, and what one has of its own. */
import { readFileSync } from 'node:fs';

const shared = readFileSync(new URL('parts.css', import.meta.url));

/** @param path of a page's own rules, which come last */
export const styled = (path) => Buffer.concat([shared, readFileSync(path)]);
