/** The pages that `export-web` writes: one that draws, one that scores. */
import { createHash } from 'node:crypto';
import { Generator, type ModelInfo, type WebFile } from '@gpn/runtime';
import type { WebModel } from './commands/export-web.js';
import { CSS } from './web-style.js';

interface PageOptions {
  title: string;
  webgpu: boolean;
}

const html = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The files of the pages, their models and pictures among them. */
export async function pages(models: readonly WebModel[], options: PageOptions): Promise<WebFile[]> {
  const generators = models.filter(({ info }) => info.kind === 'generator');
  const judges = models.filter(({ info }) => info.kind !== 'generator');
  const [drawing, scoring] = [
    generators.map((model) => generatorCard(model, options)),
    judges.map((model) => scoreCard(model, options, exampleFor(model, generators))),
  ];
  const both = drawing.length > 0 && scoring.length > 0;
  const text: [string, string][] = [
    ['index.html', page(options, drawing.length > 0 ? drawing : scoring, both ? 0 : undefined)],
    ...(both ? [['score.html', page(options, scoring, 1)] as [string, string]] : []),
    ['style.css', CSS],
    ['page.js', SCRIPT],
  ];
  return [
    ...text.map(([path, content]) => ({ path, bytes: new TextEncoder().encode(content) })),
    ...models.map(({ file, bytes }) => ({ path: file, bytes })),
    ...(await pictures(judges, generators)),
  ];
}

const pictureOf = ({ file }: WebModel): string => file.replace(/\.onnx$/, '.png');

/** The generator whose images a discriminator can be tried on. */
const exampleFor = ({ info }: WebModel, generators: readonly WebModel[]): WebModel | undefined =>
  generators.find(
    (generator) =>
      generator.info.image.channels === info.image.channels &&
      generator.info.image.width >= info.image.width,
  );

/** A picture for each discriminator to score at first: drawn by a generator of the same page. */
async function pictures(
  judges: readonly WebModel[],
  generators: readonly WebModel[],
): Promise<WebFile[]> {
  const files: WebFile[] = [];
  for (const judge of judges) {
    const example = exampleFor(judge, generators);
    if (example === undefined) continue;
    const generator = await Generator.load(example.bytes, { device: 'cpu' });
    const images = await generator.sample({ count: 24, seed: 3 });
    await generator.dispose();
    files.push({ path: pictureOf(judge), bytes: await images.toPNG({ columns: 6, gap: 0 }) });
  }
  return files;
}

const attributesOf = ({ file, bytes }: WebModel, { webgpu }: PageOptions): string => {
  const digest = createHash('sha256').update(bytes).digest('hex');
  return `src="${file}" digest="${digest}" assets="ort/"${webgpu ? '' : ' device="wasm"'}`;
};

const COUNTS = [1, 4, 16, 36, 64, 144];

function generatorCard(model: WebModel, options: PageOptions): string {
  const { info } = model;
  const counts = COUNTS.map(
    (count) => `<option${count === 36 ? ' selected' : ''}>${count}</option>`,
  ).join('');
  return `<section class="card">
      <div class="about">
        <h2>${html(info.name)}</h2>
        <p class="lead">${html(sentence(info))}</p>
        ${facts(info)}
        <div class="fields">
          <label>Seed <input type="number" min="0" step="1" value="7" data-set="seed"></label>
          <label>Images <select data-set="count">${counts}</select></label>
        </div>
        <p class="hint">The same seed draws the same images on every machine. <b>Walk</b> moves smoothly from one seed’s latents to the next’s.</p>
        ${embed('gpn-generator', model)}
      </div>
      <gpn-generator ${attributesOf(model, options)} seed="7" count="36"></gpn-generator>
    </section>`;
}

function scoreCard(model: WebModel, options: PageOptions, example?: WebModel): string {
  const { info } = model;
  const image = example
    ? `<img src="${pictureOf(model)}" alt="Images that ${html(example.info.name)} has drawn">`
    : '';
  return `<section class="card">
      <div class="about">
        <h2>${html(info.name)}</h2>
        <p class="lead">${html(sentence(info))}</p>
        ${facts(info)}
        <p class="hint">Each window of the picture is scored by itself; the heat map shows the score around each pixel, from the least (violet) to the largest (yellow). Drop a picture of your own: it never leaves this machine.</p>
        ${embed('gpn-score-map', model, '<img src="picture.png" alt="">')}
      </div>
      <gpn-score-map ${attributesOf(model, options)}>${image}</gpn-score-map>
    </section>`;
}

/** How another page shows the same, given this folder's files. */
const embed = (tag: string, { file }: WebModel, inside = ''): string => {
  const lines = [
    '<script type="module" src="gpn/elements/index.js"></script>',
    `<${tag} src="${file}" assets="ort/">${inside}</${tag}>`,
  ];
  return `<details><summary>On a page of your own</summary><pre><code>${html(lines.join('\n'))}</code></pre></details>`;
};

const sizeOf = ({ image }: ModelInfo): string =>
  `${image.width} × ${image.height} ${image.color === 'gray' ? 'grey' : 'colour'}`;

const sentence = (info: ModelInfo): string =>
  info.kind === 'generator'
    ? `Draws ${sizeOf(info)} images from ${info.latent?.size} random numbers.`
    : `Scores ${sizeOf(info)} ${info.fragment ? 'fragments' : 'windows'} of any picture.`;

function facts({ training, latent, condition, codes, quality }: ModelInfo): string {
  const rows: [string, string][] = [];
  if (latent) rows.push(['latents', `${latent.size}, ${latent.distribution}`]);
  if (condition) rows.push(['classes', String(condition.classes)]);
  if (codes) rows.push(['codes', String(codes.size)]);
  if (training) {
    rows.push(['trained on', training.dataset.name]);
    rows.push(['steps', training.steps.toLocaleString('en')]);
  }
  for (const { metric, value } of quality ?? []) rows.push([metric, value.toPrecision(3)]);
  const items = rows.map(
    ([term, text]) => `<div><dt>${html(term)}</dt><dd>${html(text)}</dd></div>`,
  );
  return `<dl>${items.join('')}</dl>`;
}

/** @param current which of the two pages this is, where there are two */
function page({ title }: PageOptions, cards: readonly string[], current?: number): string {
  const links = [
    ['index.html', 'Draw'],
    ['score.html', 'Score'],
  ].map(
    ([to, name], i) => `<a href="${to}"${i === current ? ' aria-current="page"' : ''}>${name}</a>`,
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
      ${current === undefined ? '' : `<nav>${links.join('')}</nav>`}
    </header>
    <main>
    ${cards.join('\n    ')}
    </main>
    <footer>Everything runs on this machine, in a worker: ONNX Runtime and <code>@gpn/runtime</code>.</footer>
  </body>
</html>
`;
}

/** Ties the fields beside an element to its attributes, both ways. */
const SCRIPT = `for (const card of document.querySelectorAll('.card')) {
  const element = card.querySelector('gpn-generator');
  for (const field of card.querySelectorAll('[data-set]')) {
    const name = field.dataset.set;
    field.addEventListener('input', () => {
      if (field.value !== '' && field.validity.valid) element.setAttribute(name, field.value);
    });
    element?.addEventListener('gpn-sample', ({ detail }) => {
      if (document.activeElement !== field) field.value = detail[name];
    });
  }
}
`;
