/** What the pages of `export-web` show of each model. */
import { createHash } from 'node:crypto';
import type { ModelInfo } from '@gpn/runtime';
import type { WebModel } from '../commands/export-web.js';
import { belongs, countOf, drawnFor, exampleOf, posterOf, SEED, sweepsOf } from './pictures.js';

export interface PageOptions {
  title: string;
  webgpu: boolean;
}

export const html = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The page of a model: beside the page of all. */
export const pageOf = ({ file }: WebModel): string =>
  file.replace(/^.*\//, '').replace(/\.onnx$/, '.html');

const digestOf = ({ bytes }: WebModel): string => createHash('sha256').update(bytes).digest('hex');

const attributesOf = (model: WebModel, { webgpu }: PageOptions): string =>
  `src="${model.file}" digest="${digestOf(model)}" assets="ort/"${webgpu ? '' : ' device="wasm"'}`;

const element = (model: WebModel, options: PageOptions): string =>
  `<gpn-generator ${attributesOf(model, options)} seed="${SEED}" count="${countOf(model)}">` +
  `<img slot="poster" src="${posterOf(model)}" alt=""></gpn-generator>`;

/** A generator among others. */
export const tile = (model: WebModel, options: PageOptions): string => `<article class="tile">
        <h3><a href="${pageOf(model)}">${html(model.info.name)}</a></h3>
        <p>${html(brief(model.info))}</p>
        ${element(model, options)}
      </article>`;

const COUNTS = [1, 4, 16, 36, 64, 100, 144];

/** A generator by itself. */
export function generatorCard(
  model: WebModel,
  options: PageOptions,
  judges: readonly WebModel[],
): string {
  const { info } = model;
  const shown = countOf(model);
  const counts = [...new Set([...COUNTS, shown])]
    .sort((a, b) => a - b)
    .map((count) => `<option${count === shown ? ' selected' : ''}>${count}</option>`)
    .join('');
  const links = judges
    .filter((judge) => belongs(judge, model))
    .map((judge) => `<a href="score.html#${idOf(judge)}">What ${html(judge.info.name)} sees</a>`);
  return `<section class="card">
      <div class="about">
        <h2>${html(info.name)}</h2>
        <p class="lead">${html(sentence(info))}</p>
        ${facts(info)}
        <div class="fields">
          <label>Seed <input type="number" min="0" step="1" value="${SEED}" data-set="seed"></label>
          <label>Images <select data-set="count">${counts}</select></label>
        </div>
        <p class="hint">The same seed draws the same images on every machine. <b>Walk</b> moves smoothly from one seed’s latents to the next’s.</p>
        ${links.length > 0 ? `<p class="hint">${links.join(' · ')}</p>` : ''}
        ${embed('gpn-generator', model)}
      </div>
      ${element(model, options)}
    </section>${sweeps(model)}`;
}

function sweeps(model: WebModel): string {
  const rows = model.info.condition ? 'a row for each class' : 'the same latents';
  const figures = sweepsOf(model).map(
    (path, code) => `<figure class="sweep">
        <img src="${path}" alt="Code ${code} of ${html(model.info.name)} swept from −2 to 2" loading="lazy">
        <figcaption>Code ${code} from −2 to 2, ${rows}</figcaption>
      </figure>`,
  );
  return figures.length > 0 ? `\n    <section class="sweeps">${figures.join('')}</section>` : '';
}

const idOf = ({ file }: WebModel): string => pageOf({ file } as WebModel).replace(/\.html$/, '');

/** The discriminators, one at a time, over one picture. */
export function scoreCard(
  judges: readonly WebModel[],
  generators: readonly WebModel[],
  options: PageOptions,
): string {
  const [first] = judges;
  if (first === undefined) return '';
  const choice = judges.map(
    (judge) =>
      `<option value="${idOf(judge)}" data-src="${judge.file}" data-digest="${digestOf(judge)}"` +
      `${drawnFor(judge, generators) ? ` data-image="${exampleOf(judge)}"` : ''}>${html(judge.info.name)}</option>`,
  );
  const texts = judges.map(
    (judge, k) => `<div data-judge="${idOf(judge)}"${k > 0 ? ' hidden' : ''}>
          <h2>${html(judge.info.name)}</h2>
          <p class="lead">${html(sentence(judge.info))}</p>
          ${facts(judge.info)}
          <p class="hint">${html(hint(judge.info, drawnFor(judge, generators) !== undefined))}</p>
          ${embed('gpn-score-map', judge, '<img src="picture.png" alt="">')}
        </div>`,
  );
  const picture = drawnFor(first, generators)
    ? `<img src="${exampleOf(first)}" alt="Images to be scored">`
    : '';
  return `<section class="card">
      <div class="about">
        ${judges.length > 1 ? `<div class="fields"><label>Discriminator <select class="wide" id="judges">${choice.join('')}</select></label></div>` : ''}
        ${texts.join('\n        ')}
      </div>
      <gpn-score-map ${attributesOf(first, options)}>${picture}</gpn-score-map>
    </section>`;
}

const hint = ({ fragment }: ModelInfo, example: boolean): string => {
  const forged =
    fragment && example ? 'In every second image a square at its middle is that of another. ' : '';
  return (
    `${forged}Each ${fragment ? 'fragment' : 'window'} of the picture is scored by itself; the heat map shows ` +
    'the score around each pixel, from the least (violet) to the largest (yellow). Drop a picture ' +
    'of your own: it never leaves this machine.'
  );
};

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
    ? `Draws ${sizeOf(info)} images from ${info.latent?.size} random numbers${beside(info)}.`
    : `Scores ${sizeOf(info)} ${info.fragment ? 'fragments' : 'windows'} of any picture.`;

const beside = ({ condition, codes }: ModelInfo): string => {
  const more = [condition && 'a class', codes && `${codes.size} codes`].filter(Boolean);
  return more.length > 0 ? `, ${more.join(' and ')}` : '';
};

const brief = (info: ModelInfo): string =>
  [
    `${info.latent?.size} ${info.latent?.distribution} latents`,
    info.condition && `${info.condition.classes} classes`,
    info.codes && `${info.codes.size} codes`,
  ]
    .filter(Boolean)
    .join(', ');

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
