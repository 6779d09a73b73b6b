/** Reads the imports of TypeScript sources, and follows them across the workspace. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const packages = ['models', 'export', 'runtime', 'training', 'cli'] as const;
export type Package = (typeof packages)[number];

/** A module that a source file asks for, as written there, and when it is loaded. */
export interface Import {
  specifier: string;
  /** `at once` with the file, `lazily` by `import()`, or `never`: types alone. */
  loaded: 'at once' | 'lazily' | 'never';
}

interface Target {
  types: string;
  default: string;
}

export interface Manifest {
  name: string;
  /** An entry's file, or one for Node and one for browsers. */
  exports: Record<string, Target & { node?: Target }>;
  /** Names of its own, for Node and for pages. */
  imports?: Record<string, { node: string; default: string }>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export const manifest = (name: Package): Manifest =>
  JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'));

/** Every TypeScript file under `<package>/src`, as paths from the root. */
export const sources = (name: Package): string[] =>
  readdirSync(join(root, name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(name, 'src', file))
    .sort();

interface Call {
  type?: string;
  callee?: { object?: { type?: string; callee?: { name?: string } }; property?: { name?: string } };
  arguments?: { value?: unknown }[];
}

/** The specifier in `import.meta.resolve('…')` or `createRequire(…).resolve('…')`, or null. */
function resolvedBy({ type, callee, arguments: args }: Call): string | null {
  if (type !== 'CallExpression' || callee?.property?.name !== 'resolve') return null;
  const from = callee.object;
  if (from?.type !== 'MetaProperty' && from?.callee?.name !== 'createRequire') return null;
  const specifier = args?.[0]?.value;
  return typeof specifier === 'string' ? specifier : '(computed)';
}

/** The imports of one TypeScript text: every form, and the modules it resolves to find files. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, source, importKind, exportKind } = node as Record<string, unknown>;
    const loaded =
      type === 'TSImportType' || importKind === 'type' || exportKind === 'type'
        ? 'never'
        : type === 'ImportExpression'
          ? 'lazily'
          : 'at once';
    const specifier = (source as { value?: unknown } | undefined)?.value;
    if (typeof specifier === 'string') found.push({ specifier, loaded });
    // A computed specifier would slip through every check: no arrow allows this name.
    else if (loaded === 'lazily') found.push({ specifier: '(computed)', loaded });
    const resolved = resolvedBy(node as Call);
    if (resolved !== null) found.push({ specifier: resolved, loaded: 'lazily' });
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text, { lang: 'ts' }));
  return found;
}

export const importsOfFile = (file: string): Import[] =>
  importsOf(readFileSync(join(root, file), 'utf8'));

/** The npm package that a specifier names, or null for relative files and Node's own modules. */
export const packageOf = (specifier: string): string | null =>
  /^(\.|#|node:)/.test(specifier)
    ? null
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');

const sourceFile = (built: string): string =>
  built.replace('./dist/', 'src/').replace(/\.js$/, '.ts');

/** The source behind a workspace specifier such as `@gpn/models/pretrained`, or null. */
function workspaceSource(specifier: string): string | null {
  for (const name of packages) {
    const { name: published, exports } = manifest(name);
    if (packageOf(specifier) !== published) continue;
    const entry = exports[`.${specifier.slice(published.length)}`];
    if (!entry) return null;
    const { default: file } = entry.node ?? entry;
    return join(name, sourceFile(file));
  }
  return null;
}

/** The source under Node of what a package imports by a name of its own, such as `#host`. */
function ownSource(file: string, specifier: string): string | null {
  const name = file.split('/')[0] as Package;
  const target = manifest(name).imports?.[specifier];
  return target ? join(name, sourceFile(target.node)) : null;
}

const relativeSource = (file: string, specifier: string): string =>
  relative(root, join(root, dirname(file), specifier.replace(/\.js$/, '.ts')));

/** The workspace's source behind a specifier of `file`, or null for packages and Node's modules. */
const sourceOf = (file: string, specifier: string): string | null => {
  if (specifier.startsWith('.')) return relativeSource(file, specifier);
  return specifier.startsWith('#') ? ownSource(file, specifier) : workspaceSource(specifier);
};

/** The workspace's sources that `file` imports in any form, types included, as paths from the root. */
export const importedFiles = (file: string): string[] => [
  ...new Set(importsOfFile(file).flatMap(({ specifier }) => sourceOf(file, specifier) ?? [])),
];

/**
 * All specifiers that running `file` can load, through relative and workspace imports;
 * with `when: 'at once'`, only those that loading the file itself loads.
 */
export function closure(file: string, when?: 'at once'): string[] {
  const follow = ({ loaded }: Import) => (when ? loaded === when : loaded !== 'never');
  const seen = new Set<string>();
  const specifiers = new Set<string>();
  const enter = (current: string): void => {
    if (seen.has(current)) return;
    seen.add(current);
    for (const found of importsOfFile(current).filter(follow)) {
      specifiers.add(found.specifier);
      const next = sourceOf(current, found.specifier);
      if (next) enter(next);
    }
  };
  enter(file);
  return [...specifiers].sort();
}
