/** The pages that `export-web` writes: generators draw on them, discriminators score pictures. */
import type { WebFile } from '@gpn/runtime';
import escapeHtml from 'escape-html';
import { generatorCard, type PageOptions, pageOf, scoreCard, tile } from './cards.js';
import type { WebModel } from './model.js';
import { pictures } from './pictures.js';
import { SCRIPT } from './script.js';
import { START } from './start.js';
import { CSS, ICON } from './style.js';

/** A page of another kind, which the site takes in beside those of its models. */
export interface OtherPage {
  /** Such as `convert.html`. */
  readonly path: string;
  /** What links call it. */
  readonly name: string;
  /** Its style sheets and scripts, as tags. */
  readonly head: string;
  /** What it shows, as HTML. */
  readonly main: string;
  readonly files: readonly WebFile[];
}

/**
 * All files of the site: pages, models and pictures. One generator is shown on the first page.
 * Several have a page each, and the first page shows them all. Discriminators share one page, which
 * is the first one if there is no generator.
 */
export async function pages(
  models: readonly WebModel[],
  options: PageOptions,
  others: readonly OtherPage[] = [],
): Promise<WebFile[]> {
  const generators = models.filter(({ info }) => info.kind === 'generator');
  // Detectors come first, then other discriminators of fragments, which are trained for score maps.
  const rank = ({ info }: WebModel) => (info.fragment ? (info.calibration ? 2 : 1) : 0);
  const discriminators = models
    .filter(({ info }) => info.kind !== 'generator')
    .sort((a, b) => rank(b) - rank(a));
  const many = generators.length > 1;
  const links: Link[] = [
    ...(generators.length > 0 ? [{ to: 'index.html', name: many ? 'Gallery' : 'Draw' }] : []),
    ...(discriminators.length > 0
      ? [{ to: generators.length > 0 ? 'score.html' : 'index.html', name: 'Score' }]
      : []),
    ...others.map(({ path, name }) => ({ to: path, name })),
  ];
  const write = (path: string, main: string, head = ELEMENTS): [string, string] => [
    path,
    page(options, links, path, main, head),
  ];
  const text: [string, string][] = [
    ['style.css', CSS],
    ['icon.svg', ICON],
    ['start.js', START],
    ['page.js', SCRIPT],
  ];
  if (many) text.push(write('index.html', gallery(generators, options)));
  for (const model of generators) {
    text.push(
      write(many ? pageOf(model) : 'index.html', generatorCard(model, options, discriminators)),
    );
  }
  if (discriminators.length > 0) {
    const path = generators.length > 0 ? 'score.html' : 'index.html';
    text.push(write(path, scoreCard(discriminators, generators, options)));
  }
  for (const { path, main, head } of others) text.push(write(path, main, head));
  return [
    ...others.flatMap(({ files }) => files),
    ...text.map(([path, content]) => ({ path, bytes: new TextEncoder().encode(content) })),
    ...models.map(({ file, bytes }) => ({ path: file, bytes })),
    ...(await pictures(generators, discriminators)),
  ];
}

/** All generators, grouped by the data that they were trained on. */
function gallery(generators: readonly WebModel[], options: PageOptions): string {
  const datasets = [...new Set(generators.map(datasetOf))];
  const sections = datasets.map((dataset) => {
    const tiles = generators
      .filter((model) => datasetOf(model) === dataset)
      .map((model) => tile(model, options));
    return `${datasets.length > 1 ? `<h2>${escapeHtml(dataset)}</h2>` : ''}
      <section class="tiles">${tiles.join('\n      ')}</section>`;
  });
  return `<div class="all"><p class="lead">${generators.length} generators, all of them running on your machine.</p><button id="all">Draw all again</button></div>
    ${sections.join('\n    ')}`;
}

const datasetOf = ({ info }: WebModel): string => info.training?.dataset.name ?? 'other data';

interface Link {
  to: string;
  name: string;
}

/** The scripts of pages that show models. */
const ELEMENTS = `<script type="module" src="gpn/elements/index.js"></script>
    <script type="module" src="page.js"></script>`;

function page(
  { title }: PageOptions,
  links: readonly Link[],
  path: string,
  main: string,
  head: string,
): string {
  const anchors = links.map(
    ({ to, name }) => `<a href="${to}"${to === path ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="dark">
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="icon.svg">
    <link rel="stylesheet" href="style.css">
    <script src="start.js"></script>
    ${head}
  </head>
  <body>
    <header>
      <h1>${escapeHtml(title)}</h1>
      ${links.length > 1 ? `<nav>${anchors.join('')}</nav>` : ''}
    </header>
    <main>
    <noscript><p class="notice">Without JavaScript this page shows only pictures that were drawn before.</p></noscript>
    ${main}
    </main>
    <footer>Everything runs on your machine, in a web worker, with ONNX Runtime and <code>@gpn/runtime</code>.</footer>
  </body>
</html>
`;
}
