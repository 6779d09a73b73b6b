#!/usr/bin/env node
// Committed rather than built: npm links a command at install time only if its file exists then.
import { existsSync } from 'node:fs';

const entry = new URL('../dist/command/main.js', import.meta.url);
if (existsSync(entry)) {
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error('gpn-export: It is not built yet; run `npm run build` in the repository first.');
  process.exitCode = 2;
}
