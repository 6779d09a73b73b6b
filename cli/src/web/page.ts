/** The pages that `export-web` writes: they draw, and they score. */
import type { WebFile } from '@gpn/runtime';
import type { WebModel } from '../commands/export-web.js';
import { generatorCard, html, type PageOptions, pageOf, scoreCard, tile } from './cards.js';
import { pictures } from './pictures.js';
import { SCRIPT } from './script.js';
import { CSS } from './style.js';

/**
 * The files of the pages, their models and pictures among them. Several generators have a page
 * each, beside a first page with all of them; discriminators share one, behind the generators'.
 */
export async function pages(models: readonly WebModel[], options: PageOptions): Promise<WebFile[]> {
  const generators = models.filter(({ info }) => info.kind === 'generator');
  // Judges of fragments first: their maps are what they were trained for.
  const judges = models
    .filter(({ info }) => info.kind !== 'generator')
    .sort((a, b) => Number(b.info.fragment !== undefined) - Number(a.info.fragment !== undefined));
  const many = generators.length > 1;
  const links: Link[] = [
    ...(generators.length > 0 ? [{ to: 'index.html', name: many ? 'Gallery' : 'Draw' }] : []),
    ...(judges.length > 0
      ? [{ to: generators.length > 0 ? 'score.html' : 'index.html', name: 'Score' }]
      : []),
  ];
  const write = (path: string, main: string): [string, string] => [
    path,
    page(options, links, path, main),
  ];
  const text: [string, string][] = [
    ['style.css', CSS],
    ['page.js', SCRIPT],
  ];
  if (many) text.push(write('index.html', gallery(generators, options)));
  for (const model of generators) {
    text.push(write(many ? pageOf(model) : 'index.html', generatorCard(model, options, judges)));
  }
  if (judges.length > 0) {
    const path = generators.length > 0 ? 'score.html' : 'index.html';
    text.push(write(path, scoreCard(judges, generators, options)));
  }
  return [
    ...text.map(([path, content]) => ({ path, bytes: new TextEncoder().encode(content) })),
    ...models.map(({ file, bytes }) => ({ path: file, bytes })),
    ...(await pictures(generators, judges)),
  ];
}

/** All generators, by what they were trained on. */
function gallery(generators: readonly WebModel[], options: PageOptions): string {
  const datasets = [...new Set(generators.map(datasetOf))];
  const sections = datasets.map((dataset) => {
    const tiles = generators
      .filter((model) => datasetOf(model) === dataset)
      .map((model) => tile(model, options));
    return `${datasets.length > 1 ? `<h2>${html(dataset)}</h2>` : ''}
      <section class="tiles">${tiles.join('\n      ')}</section>`;
  });
  return `<div class="all"><p class="lead">${generators.length} generators, each drawing on this machine as you look.</p><button id="all">New images everywhere</button></div>
    ${sections.join('\n    ')}`;
}

const datasetOf = ({ info }: WebModel): string => info.training?.dataset.name ?? 'others';

interface Link {
  to: string;
  name: string;
}

function page({ title }: PageOptions, links: readonly Link[], path: string, main: string): string {
  const anchors = links.map(
    ({ to, name }) => `<a href="${to}"${to === path ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="dark">
    <title>${html(title)}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="gpn/elements/index.js"></script>
    <script type="module" src="page.js"></script>
  </head>
  <body>
    <header>
      <h1>${html(title)}</h1>
      ${links.length > 1 ? `<nav>${anchors.join('')}</nav>` : ''}
    </header>
    <main>
    ${main}
    </main>
    <footer>Everything runs on this machine, in a worker: ONNX Runtime and <code>@gpn/runtime</code>.</footer>
  </body>
</html>
`;
}
