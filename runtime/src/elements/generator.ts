import { latents } from '../inputs.js';
import { blend } from '../interpolate.js';
import type { LoadOptions } from '../load.js';
import type { ModelInfo } from '../model-info.js';
import { Generator } from '../web/browser.js';
import { h, ModelElement } from './element.js';

/** Seconds from one set of images to the next. */
const LEG = 2.5;

/**
 * `<gpn-generator src seed count columns label>`: a grid of images that a generator draws.
 *
 * `label` is a class by its number; without it the classes come in turn. `bare` leaves out the
 * controls. Beside the events of every element it emits `gpn-sample` with `{ seed, count, ms }`.
 */
export class GpnGenerator extends ModelElement<Generator> {
  static readonly observedAttributes = [
    ...['src', 'assets', 'device', 'digest'],
    ...['seed', 'count', 'columns', 'label'],
  ];
  readonly #canvas = globalThis.document && h('canvas', { part: 'canvas', role: 'img' });
  readonly #sliders: HTMLInputElement[] = [];
  #walk: HTMLButtonElement | undefined;
  #latest = 0;

  protected open(src: string, options: LoadOptions): Promise<Generator> {
    return Generator.load(src, options) as Promise<Generator>;
  }

  get seed(): number {
    return this.number('seed', 0);
  }

  set seed(seed: number) {
    this.setAttribute('seed', String(seed));
  }

  /** Other images: those of the next seed. */
  resample(): void {
    this.seed = this.seed + 1;
  }

  protected controls({ info }: Generator): void {
    this.stage.append(this.#canvas);
    this.#sliders.length = 0;
    if (this.hasAttribute('bare')) return;
    this.#walk = h('button', { 'aria-pressed': 'false', click: () => void this.#toggle() }, 'Walk');
    this.bar.append(
      h('button', { class: 'main', part: 'button', click: () => this.resample() }, 'New images'),
      this.#walk,
    );
    if (info.condition !== undefined) this.bar.append(this.#classes(info.condition));
    if (info.codes !== undefined) this.bar.append(...this.#codes(info.codes));
  }

  #classes({ classes, names }: NonNullable<ModelInfo['condition']>): HTMLElement {
    const name = (k: number) => names?.[k] ?? String(k);
    const options = Array.from({ length: classes }, (_, k) =>
      h('option', { value: String(k) }, name(k)),
    );
    const select = h('select', {
      change: () =>
        select.value === ''
          ? this.removeAttribute('label')
          : this.setAttribute('label', select.value),
    });
    select.append(h('option', { value: '' }, 'all in turn'), ...options);
    select.value = this.getAttribute('label') ?? '';
    return h('label', {}, 'Class', select);
  }

  #codes({ size, range: [low, high] }: NonNullable<ModelInfo['codes']>): HTMLElement[] {
    return Array.from({ length: size }, (_, k) => {
      const slider = h('input', {
        ...{ type: 'range', min: String(low), max: String(high), step: 'any' },
        input: () => void this.attempt(() => this.show()),
      });
      slider.value = String((low + high) / 2);
      this.#sliders.push(slider);
      return h('label', {}, `Code ${k + 1}`, slider);
    });
  }

  /** What every drawing has in common: the class and the codes that were chosen. */
  #chosen(count: number) {
    const label = this.getAttribute('label');
    const codes = this.#sliders.map(({ valueAsNumber }) => valueAsNumber);
    return {
      count,
      batchSize: count,
      ...(label !== null && label !== '' && { labels: Number(label) }),
      ...(codes.length > 0 && {
        codes: Float32Array.from(
          { length: count * codes.length },
          (_, i) => codes[i % codes.length] as number,
        ),
      }),
    };
  }

  get #count(): number {
    return Math.max(1, this.number('count', 16));
  }

  async #draw(seed: number, drawn?: Float32Array): Promise<void> {
    const { model } = this;
    if (model === undefined) return;
    const count = this.#count;
    const from = performance.now();
    const mine = ++this.#latest;
    const images = await model.sample({
      ...this.#chosen(count),
      seed,
      ...(drawn && { latents: drawn }),
    });
    if (mine !== this.#latest) return; // a later one was asked for meanwhile
    const columns = this.number('columns', Math.ceil(Math.sqrt(count)));
    images.draw(this.#canvas, { columns: Math.max(1, columns), gap: 1 });
    const { name } = model.info;
    const label = `${count} ${count === 1 ? 'image' : 'images'} drawn by ${name}, seed ${seed}`;
    this.#canvas.setAttribute('aria-label', label);
    if (drawn !== undefined) return;
    const ms = performance.now() - from;
    this.say(`${label}, on ${model.device} in ${ms.toFixed(0)} ms`);
    this.emit('sample', { seed, count, ms });
  }

  protected show(): Promise<void> {
    return this.#draw(this.seed);
  }

  /** Whether the images are on their way to those of the next seeds. */
  get walking(): boolean {
    return this.#walk?.getAttribute('aria-pressed') === 'true';
  }

  async #toggle(): Promise<void> {
    const starting = !this.walking;
    this.#walk?.setAttribute('aria-pressed', String(starting));
    if (starting) await this.attempt(() => this.#go());
  }

  /** From set to set of latents, a frame at a time, until the button is pressed again. */
  async #go(): Promise<void> {
    const { model } = this;
    if (model === undefined) return;
    const frame = () => new Promise<number>(requestAnimationFrame);
    const { info } = model;
    while (this.walking && this.model === model) {
      const [count, seed] = [this.#count, this.seed];
      const [a, b] = [latents(info, count, seed), latents(info, count, seed + 1)];
      const start = await frame();
      for (let t = 0; t < 1 && this.walking && this.model === model && this.seed === seed; ) {
        t = Math.min(1, ((await frame()) - start) / (1000 * LEG));
        // Slow at both ends, so that each set can be looked at.
        await this.#draw(seed, blend(info, a, b, t * t * (3 - 2 * t)));
      }
      if (this.walking && this.seed === seed) this.seed = seed + 1;
    }
  }
}
