/** The part of a page that shows one model. */
import { createHash } from 'node:crypto';
import type { ModelInfo } from '@gpn/runtime';
import escapeHtml from 'escape-html';
import type { WebModel } from './model.js';
import { belongs, countOf, drawnFor, exampleOf, posterOf, SEED, sweepsOf } from './pictures.js';

export interface PageOptions {
  title: string;
  webgpu: boolean;
}

/** The page of a generator that is one of several. */
export const pageOf = ({ file }: WebModel): string =>
  file.replace(/^.*\//, '').replace(/\.onnx$/, '.html');

const digestOf = ({ bytes }: WebModel): string => createHash('sha256').update(bytes).digest('hex');

const attributesOf = (model: WebModel, { webgpu }: PageOptions): string =>
  `src="${model.file}" digest="${digestOf(model)}" assets="ort/"${webgpu ? '' : ' device="wasm"'}`;

const element = (model: WebModel, options: PageOptions): string =>
  `<gpn-generator ${attributesOf(model, options)} seed="${SEED}" count="${countOf(model)}">` +
  `<img slot="poster" src="${posterOf(model)}" alt=""></gpn-generator>`;

/** A generator on the page with all of them. */
export const tile = (model: WebModel, options: PageOptions): string => `<article class="tile">
        <h3><a href="${pageOf(model)}">${escapeHtml(model.info.name)}</a></h3>
        <p>${escapeHtml(brief(model.info))}</p>
        ${element(model, options)}
      </article>`;

const COUNTS = [1, 4, 16, 36, 64, 100, 144];

/** A generator on its own page. */
export function generatorCard(
  model: WebModel,
  options: PageOptions,
  discriminators: readonly WebModel[],
): string {
  const { info } = model;
  const shown = countOf(model);
  const counts = [...new Set([...COUNTS, shown])]
    .sort((a, b) => a - b)
    .map((count) => `<option${count === shown ? ' selected' : ''}>${count}</option>`)
    .join('');
  const links = discriminators
    .filter((discriminator) => belongs(discriminator, model))
    .map(
      (discriminator) =>
        `<a href="score.html#${idOf(discriminator)}">Scores by ${escapeHtml(discriminator.info.name)}</a>`,
    );
  return `<section class="card">
      <div class="about">
        <h2>${escapeHtml(info.name)}</h2>
        <p class="lead">${escapeHtml(sentence(info))}</p>
        ${facts(info)}
        <div class="fields">
          <label>Seed <input type="number" min="0" step="1" value="${SEED}" data-set="seed"></label>
          <label>Images <select data-set="count">${counts}</select></label>
        </div>
        <p class="hint">The same seed draws the same images on every machine. <b>Walk</b> moves smoothly from the latents of one seed to those of the next.</p>
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
        <img src="${path}" alt="Code ${code} of ${escapeHtml(model.info.name)} swept from −2 to 2" loading="lazy">
        <figcaption>Code ${code} from −2 to 2, ${rows}</figcaption>
      </figure>`,
  );
  return figures.length > 0 ? `\n    <section class="sweeps">${figures.join('')}</section>` : '';
}

const idOf = ({ file }: WebModel): string => pageOf({ file } as WebModel).replace(/\.html$/, '');

/** The discriminators, one at a time, on the same picture. */
export function scoreCard(
  discriminators: readonly WebModel[],
  generators: readonly WebModel[],
  options: PageOptions,
): string {
  const [first] = discriminators;
  if (first === undefined) return '';
  const choice = discriminators.map(
    (discriminator) =>
      `<option value="${idOf(discriminator)}" data-src="${discriminator.file}" data-digest="${digestOf(discriminator)}"` +
      `${drawnFor(discriminator, generators) ? ` data-image="${exampleOf(discriminator)}"` : ''}>${escapeHtml(discriminator.info.name)}</option>`,
  );
  const texts = discriminators.map(
    (
      discriminator,
      k,
    ) => `<div data-discriminator="${idOf(discriminator)}"${k > 0 ? ' hidden' : ''}>
          <h2>${escapeHtml(discriminator.info.name)}</h2>
          <p class="lead">${escapeHtml(sentence(discriminator.info))}</p>
          ${facts(discriminator.info)}
          <p class="hint">${escapeHtml(hint(discriminator.info, drawnFor(discriminator, generators) !== undefined))}</p>
          ${embed('gpn-score-map', discriminator, '<img src="picture.png" alt="">')}
        </div>`,
  );
  const picture = drawnFor(first, generators)
    ? `<img src="${exampleOf(first)}" alt="Images to be scored">`
    : '';
  return `<section class="card">
      <div class="about">
        ${discriminators.length > 1 ? `<div class="fields"><label>Discriminator <select class="wide" id="discriminators">${choice.join('')}</select></label></div>` : ''}
        ${texts.join('\n        ')}
      </div>
      <gpn-score-map ${attributesOf(first, options)}>${picture}</gpn-score-map>
    </section>`;
}

const hint = ({ fragment, calibration }: ModelInfo, example: boolean): string => {
  const altered =
    fragment && example
      ? 'In every second image, the square in the middle comes from another image. '
      : '';
  const shows =
    fragment && calibration
      ? 'What does not belong is in colour, redder the rarer it is: a normal picture of the size that this detector is calibrated with has any with a probability of 1 %. '
      : `Each ${fragment ? 'fragment' : 'window'} of the picture is scored separately. The heat map shows the score around each pixel, from the lowest (violet) to the highest (yellow). `;
  return `${altered}${shows}Drop a picture of your own here; it never leaves your machine.`;
};

/** The HTML that shows a model on another page, given the files of this folder. */
const embed = (tag: string, { file }: WebModel, inside = ''): string => {
  const lines = [
    '<script type="module" src="gpn/elements/index.js"></script>',
    `<${tag} src="${file}" assets="ort/">${inside}</${tag}>`,
  ];
  return `<details><summary>Use it on your own page</summary><pre><code>${escapeHtml(lines.join('\n'))}</code></pre></details>`;
};

const COLORS = { gray: 'grey', rgb: 'colour', rgba: 'colour and alpha' } as const;

const sizeOf = ({ image }: ModelInfo): string =>
  `${image.width} × ${image.height} ${COLORS[image.color]}`;

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
    ([term, text]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd></div>`,
  );
  return `<dl>${items.join('')}</dl>`;
}
