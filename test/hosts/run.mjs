/**
 * Where programs with @gpn/runtime run: installs the packed packages as a user would, with npm's own
 * packages of each host and bundler, lets each draw, and prints a table. By hand, with a network and a
 * Chromium: npm run build && node test/hosts/run.mjs
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { serveFolder } from '../../cli/dist/web/site.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'gpn-hosts-'));
const at = (...parts) => join(app, ...parts);
const bin = (name) => at('node_modules/.bin', name);
const run = promisify(execFile);
const MINUTES = 10 * 60_000;
const write = (files) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(at(path), '..'), { recursive: true });
    writeFileSync(at(path), text);
  }
};

const packed = execFileSync(
  'npm',
  [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    app,
    '-w',
    'models',
    '-w',
    'runtime',
  ],
  { cwd: root, encoding: 'utf8' },
);
write({ 'package.json': '{ "private": true }', 'node-out/package.json': '{ "type": "module" }' });
execFileSync(
  'npm',
  [
    // The packages' binaries come with them or as optional packages; Node's need their script.
    ...['install', '--no-audit', '--no-fund', '--ignore-scripts'],
    ...JSON.parse(packed).map(({ filename }) => `./${filename}`),
    ...[
      'onnxruntime-node@1.30.0',
      'node20@npm:node@20',
      'node22@npm:node@22',
      'node24@npm:node@24',
    ],
    ...['bun', 'deno', 'esbuild', 'vite', 'webpack', 'webpack-cli'],
    ...['next@15', 'react@19', 'react-dom@19'],
  ],
  { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] },
);
execFileSync('npm', ['rebuild', 'node20', 'node22', 'node24', 'bun', 'deno', 'esbuild'], {
  cwd: app,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const model = join(root, 'models/pretrained/dcgan-mnist.onnx');
for (const folder of ['', 'public', 'node-out', 'webpack-node', 'page', 'webpack-page']) {
  mkdirSync(at(folder), { recursive: true });
  copyFileSync(model, at(folder, 'g.onnx'));
}

const program = `import { readFileSync } from 'node:fs';
import { Generator } from '@gpn/runtime';
for (const options of [{}, { worker: true }, { device: 'wasm' }]) {
  const generator = await Generator.load(readFileSync(process.env.MODEL), options);
  const { count } = await generator.sample({ count: 3, seed: 7 });
  console.log(count + ' on ' + generator.device + (options.worker ? ' in a worker' : ''));
  await generator.dispose();
}`;
const component = `'use client';
import { useEffect } from 'react';
import '@gpn/runtime/elements';
import { Generator } from '@gpn/runtime';
export default function Page() {
  useEffect(() => { window.draw = async () => {
    const generator = await Generator.load('/g.onnx', { device: 'wasm' });
    return (await generator.sample({ count: 3 })).count;
  }; }, []);
  return <gpn-generator src="/g.onnx" device="wasm" count="10" />;
}`;
const page = (
  script,
) => `<!doctype html><title>page</title><script type="module" src="${script}"></script>
<gpn-generator src="g.onnx" device="wasm" count="10"></gpn-generator>`;
write({
  'program.mjs': program,
  'main.js': `import '@gpn/runtime/elements';
import { Generator } from '@gpn/runtime';
window.draw = async () => {
  const generator = await Generator.load('g.onnx', { device: 'wasm' });
  return (await generator.sample({ count: 3 })).count;
};`,
  'index.html': page('/main.js'),
  'page/index.html': page('main.js'),
  'webpack-page/index.html': page('main.js'),
  'esbuild.mjs': `import { build } from 'esbuild';
const worker = '@gpn/runtime/worker';
const common = { bundle: true, format: 'esm' };
await build({ ...common, entryPoints: { program: 'program.mjs', worker }, platform: 'node',
  outdir: 'node-out', external: ['onnxruntime-node', 'onnxruntime-web'] });
await build({ ...common, entryPoints: { main: 'main.js', worker }, outdir: 'page' });`,
  'webpack.config.cjs': `const module_ = { mode: 'production', experiments: { outputModule: true },
  performance: { hints: false } };
module.exports = [
  { ...module_, entry: './main.js', output: { path: __dirname + '/webpack-page', filename: 'main.js', module: true } },
  // webpack 5.113 breaks the start of a worker thread that is imported by name.
  { ...module_, target: 'node20', entry: './program.mjs', externals: { '@gpn/runtime': 'module @gpn/runtime' },
    output: { path: __dirname + '/webpack-node', filename: 'program.mjs', module: true } },
];`,
  'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;',
  'app/page.js': component,
  'app/api/draw/route.js': `import { Generator } from '@gpn/runtime';
export const dynamic = 'force-dynamic';
export async function GET() {
  const generator = await Generator.load(process.cwd() + '/g.onnx');
  const images = await generator.sample({ count: 4, seed: 7 });
  return new Response(images.count + ' on ' + generator.device);
}`,
});

const env = { ...process.env, MODEL: at('g.onnx'), NEXT_TELEMETRY_DISABLED: '1', NODE_OPTIONS: '' };
const said = async (command, ...args) => {
  const { stdout } = await run(command, args, { cwd: app, env, timeout: MINUTES });
  return stdout.trim().replaceAll('\n', '; ');
};
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});
async function seen(url) {
  const tab = await browser.newPage();
  try {
    await tab.goto(url);
    await tab.waitForFunction('window.draw');
    const count = await tab.evaluate('draw()');
    const status = tab.locator('gpn-generator [role=status]', { hasText: 'drawn by' });
    await status.waitFor({ timeout: 60_000 });
    return `a page draws ${count}, an element 10 on wasm`;
  } finally {
    await tab.close();
  }
}
async function folder(name) {
  const site = await serveFolder(at(name));
  try {
    return await seen(`${site.url}/index.html`);
  } finally {
    site.close();
  }
}
async function next() {
  await run(bin('next'), ['build'], { cwd: app, env, timeout: MINUTES });
  const port = 34_818;
  const server = spawn(
    process.execPath,
    [at('node_modules/next/dist/bin/next'), 'start', '-p', port],
    {
      cwd: app,
      env,
      stdio: 'ignore',
    },
  );
  try {
    const url = `http://localhost:${port}`;
    let route;
    while (!route) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      route = await fetch(`${url}/api/draw`).then(
        (answer) => answer.text(),
        () => undefined,
      );
    }
    return `a route draws ${route}; ${await seen(url)}`;
  } finally {
    server.kill();
  }
}

const node = (name, ...args) => said(at('node_modules', name, 'bin/node'), ...args);
const HOSTS = {
  'Node 20': () => node('node20', 'program.mjs'),
  'Node 22': () => node('node22', 'program.mjs'),
  'Node 24': () => node('node24', 'program.mjs'),
  Bun: () => said(bin('bun'), 'program.mjs'),
  Deno: () => said(bin('deno'), 'run', '-A', 'program.mjs'),
  'esbuild, Node': async () => {
    await said(process.execPath, 'esbuild.mjs');
    return said(process.execPath, 'node-out/program.js');
  },
  'esbuild, page': () => {
    cpSync(
      at('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
      at('page/ort-wasm-simd-threaded.wasm'),
    );
    return folder('page');
  },
  'webpack, Node': async () => {
    await said(bin('webpack'));
    return said(process.execPath, 'webpack-node/program.mjs');
  },
  'webpack, page': () => folder('webpack-page'),
  'Vite, page': async () => {
    await said(bin('vite'), 'build');
    return folder('dist');
  },
  'Next.js 15': next,
};

let failed = 0;
for (const [name, draw] of Object.entries(HOSTS)) {
  const result = await draw().catch((error) => {
    failed++;
    return `FAILED: ${error.message.split('\n').find((line) => /Error/.test(line)) ?? error.message}`;
  });
  console.log(`| ${name} | ${result} |`);
}
await browser.close();
rmSync(app, { recursive: true, force: true });
process.exitCode = failed ? 1 : 0;
