import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import type { Detection } from '../model/detection/detect.js';
import type { ScoreMap } from '../model/detection/scores.js';
import { extent, heatMap, probability } from '../model/heat-map.js';
import type { LoadOptions } from '../model/load.js';
import { Discriminator } from '../web/load.js';
import { classChoice, h, ModelElement } from './element.js';

/** The number of windows that a small model scores in about a second with wasm. */
const WINDOWS = 1500;

/** The longer side of the heat map's canvas, in pixels. */
const HEAT_SIDE = 512;

/**
 * `<gpn-score-map src stride label threshold><img …></gpn-score-map>`: a discriminator's scores of every
 * part of a picture, as a heat map over it. Another picture can be chosen or dropped. A calibrated
 * discriminator of fragments shows the picture in grey instead, and in colour what does not belong into
 * it: what a normal picture has with a probability of at most `threshold`, 0.01 by default.
 *
 * Without `stride`, a discriminator with a dense form scores every fragment, and others as many
 * windows as take about a second. A conditional discriminator scores for the class `label`, a number
 * or a name, 0 by default. In addition to the events of every element, it emits `gpn-score` with
 * `{ map, ms }`, and with `detection` if the discriminator is calibrated.
 */
export class GpnScoreMap extends ModelElement<Discriminator> {
  static readonly observedAttributes = [
    ...['src', 'assets', 'device', 'digest', 'worker'],
    ...['stride', 'label', 'threshold'],
  ];
  readonly #heat = globalThis.document && h('canvas', { class: 'heat', part: 'heat', role: 'img' });
  readonly #scale = globalThis.document && h('span', { class: 'scale', part: 'scale' });
  #latest = 0;
  #url: string | undefined;

  protected open(src: string, options: LoadOptions): Promise<Discriminator> {
    return Discriminator.load(src, options) as Promise<Discriminator>;
  }

  /** The picture that is scored: the first image inside the element, if there is one. */
  get image(): HTMLImageElement | null {
    return this.querySelector('img:not([slot])');
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stage.append(h('slot'), this.#heat); // the picture is visible before it is scored
    const allow = (event: Event) => {
      event.preventDefault();
      this.stage.classList.toggle('over', event.type === 'dragover');
    };
    this.stage.ondragover = allow;
    this.stage.ondragleave = allow;
    this.stage.ondrop = (event) => {
      allow(event);
      const file = event.dataTransfer?.files[0];
      if (file) void this.attempt(() => this.scoreFile(file));
    };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#url !== undefined) URL.revokeObjectURL(this.#url);
  }

  protected controls({ info }: Discriminator): void {
    const opacity = h('input', { type: 'range', min: '0', max: '1', step: 'any' });
    opacity.value = '0.6';
    opacity.oninput = () => this.#heat.style.setProperty('opacity', opacity.value);
    this.#heat.style.setProperty('opacity', opacity.value);
    const file = h('input', { type: 'file', accept: 'image/*' });
    file.onchange = () => {
      const chosen = file.files?.[0];
      if (chosen) void this.attempt(() => this.scoreFile(chosen));
    };
    this.bar.append(h('label', { class: 'file' }, 'Choose a picture', file));
    if (info.condition !== undefined) this.bar.append(classChoice(this, info.condition));
    this.bar.append(h('label', {}, 'Heat', opacity), this.#scale);
  }

  /** Shows and scores a picture from a file. Its errors are thrown, not shown in the element. */
  async scoreFile(file: Blob): Promise<void> {
    const image = this.image ?? this.appendChild(h('img', { alt: 'The chosen picture' }));
    if (this.#url !== undefined) URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(file);
    image.src = this.#url;
    await image.decode().catch(() => refuse(file));
    await this.show();
  }

  protected async show(): Promise<void> {
    const { image, model } = this;
    if (image === null || model === undefined) {
      this.say('Choose a picture, or drop one here.');
      return;
    }
    const mine = ++this.#latest;
    const pixels = await pixelsOf(image);
    const from = performance.now();
    const options = {
      stride: this.number('stride', strideFor(pixels, model), 1),
      ...this.until(
        () => mine === this.#latest,
        (done, total) => this.say(`Scoring: ${Math.round((100 * done) / total)} %`),
      ),
      ...(model.info.condition && { labels: this.labelOf(model.info) ?? 0 }),
    };
    const threshold = this.getAttribute('threshold');
    const detection = model.info.calibration?.worst
      ? await model.detect(pixels, {
          ...options,
          ...(threshold && { threshold: Number(threshold) }),
        })
      : undefined;
    const map = detection?.map ?? (await model.scoreMap(pixels, options));
    const ms = performance.now() - from;
    if (detection) await this.#mark(model.info, detection);
    else this.#paint(map, pixels);
    this.stage.classList.toggle('grey', detection !== undefined);
    const found = detection ? `${said(detection)}: ` : '';
    this.say(
      `${found}${map.columns} × ${map.rows} windows on ${model.device} in ${ms.toFixed(0)} ms`,
    );
    this.emit('score', { map, ms, ...(detection && { detection }) });
  }

  /** Shows what was found; the rest of the canvas stays clear. */
  async #mark(info: ModelInfo, detection: Detection): Promise<void> {
    const { highlights } = await import('../model/detection/detect.js');
    const { width, height, threshold, regions } = detection;
    const rgba = highlights(info, detection) as Uint8ClampedArray<ArrayBuffer>;
    this.#heat.width = width;
    this.#heat.height = height;
    this.#heat.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
    const places = regions.map((r) => `at ${r.x}, ${r.y}: ${r.width} × ${r.height} pixels`);
    this.#heat.setAttribute(
      'aria-label',
      `What does not belong: ${places.join('; ') || 'nothing'}`,
    );
    this.#scale.replaceChildren(`In colour: p ≤ ${Number(threshold.toPrecision(2))}`);
    this.#scale.title = 'How often a normal picture has anything like it';
  }

  #paint(map: ScoreMap, { width, height }: ImageData): void {
    const shrink = Math.min(1, HEAT_SIDE / Math.max(width, height));
    const [w, h2] = [
      Math.max(1, Math.round(width * shrink)),
      Math.max(1, Math.round(height * shrink)),
    ];
    // The heat map may be smaller than the picture: the map's geometry follows.
    const { first, stride } = map;
    const small = {
      ...map,
      stride: stride * shrink,
      first: {
        x: first.x * shrink,
        y: first.y * shrink,
        width: first.width * shrink,
        height: first.height * shrink,
      },
    };
    this.#heat.width = w;
    this.#heat.height = h2;
    const rgba = heatMap(small, w, h2) as Uint8ClampedArray<ArrayBuffer>;
    this.#heat.getContext('2d')?.putImageData(new ImageData(rgba, w, h2), 0, 0);
    const [low, high] = extent(map.values).map((score) => shown(map.meaning, score));
    this.#heat.setAttribute('aria-label', `Heat map of the scores, from ${low} to ${high}`);
    this.#scale.replaceChildren(low ?? '', h('i'), high ?? '');
    this.#scale.title = MEANINGS[map.meaning];
  }
}

const said = ({ p, regions: { length } }: Detection): string =>
  `${length === 0 ? 'Nothing' : length === 1 ? 'One place' : `${length} places`} found (p ${p.toPrecision(2)})`;

const MEANINGS: Record<ScoreMap['meaning'], string> = {
  logit: 'Probability of real',
  probability: 'Probability of real',
  critic: 'Critic value, larger for real',
  energy: 'Energy, smaller for real',
};

const shown = (meaning: ScoreMap['meaning'], score: number): string => {
  const real = probability(meaning, score);
  if (real === undefined) return score.toPrecision(3);
  return real < 0.001 ? '< 0.1 %' : `${(100 * real).toFixed(1)} %`;
};

function strideFor({ width, height }: ImageData, { info, dense }: Discriminator): number {
  const { image, fragment } = info;
  if (dense) return fragment?.stride ?? 1;
  const frame = 2 * (fragment?.frame ?? 0);
  const places = (width + frame - image.width + 1) * (height + frame - image.height + 1);
  return Math.max(1, Math.ceil(Math.sqrt(Math.max(0, places) / WINDOWS)));
}

const UNREADABLE = 'The picture cannot be read: choose a PNG, JPEG or WebP file.';

/** Says why a file is not shown. A bitmap needs no URL, so no policy can forbid it. */
async function refuse(file: Blob): Promise<never> {
  const isPicture = await createImageBitmap(file).then(
    () => true,
    () => false,
  );
  throw new UserError(
    isPicture
      ? "The site's Content-Security-Policy forbids pictures from files: add blob: to its img-src."
      : UNREADABLE,
  );
}

async function pixelsOf(image: HTMLImageElement): Promise<ImageData> {
  await image.decode().catch(() => {
    throw new UserError(UNREADABLE);
  });
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = h('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context?.drawImage(image, 0, 0);
  try {
    const data = context?.getImageData(0, 0, width, height);
    if (data) return data;
  } catch {
    throw new UserError('The picture is from another site, which does not let pages read it.');
  }
  throw new UserError(`A picture of ${width}×${height} pixels is too large for this browser.`);
}
