import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { type GridPlan, gridInputs } from '../model/grid-inputs.js';
import { latents } from '../model/inputs.js';
import { blend } from '../model/interpolate.js';
import type { LoadOptions } from '../model/load.js';
import { Generator } from '../web/load.js';
import { classChoice, h, isWhole, ModelElement } from './element.js';

/** Seconds of a walk from one set of images to the next. */
const WALK_SECONDS = 2.5;

/** The attributes of codes; any further codes of a model are 0. */
const CODES = Array.from({ length: 16 }, (_, k) => `code-${k}`);

/**
 * `<gpn-generator src seed count columns label code-0 code-1 …>`: a grid of images drawn by a
 * generator.
 *
 * `label` is the number or the name of a class; without it, or with `all`, each class has a row.
 * `code-0` and so on set codes; the others are 0. `bare` leaves out the controls. In addition to the
 * events of every element, it emits `gpn-sample` with `{ seed, count, ms }`.
 */
export class GpnGenerator extends ModelElement<Generator> {
  static readonly observedAttributes = [
    ...['src', 'assets', 'device', 'digest', 'worker'],
    ...['seed', 'count', 'columns', 'label', ...CODES],
  ];
  readonly #canvas = globalThis.document && h('canvas', { part: 'canvas', role: 'img' });
  readonly #sliders: HTMLInputElement[] = [];
  #walk: HTMLButtonElement | undefined;
  #latest = 0;

  protected open(src: string, options: LoadOptions): Promise<Generator> {
    return Generator.load(src, options) as Promise<Generator>;
  }

  /** The attribute `seed`, a whole number from 0; 0 by default. Setting it draws other images. */
  get seed(): number {
    const text = this.getAttribute('seed') ?? '';
    return isWhole(text) ? Number(text) : 0;
  }

  set seed(seed: number) {
    this.setAttribute('seed', String(seed));
  }

  /** Draws other images: those of the next seed. */
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
    if (info.condition !== undefined) {
      this.bar.append(classChoice(this, info.condition, 'a row for each'));
    }
    if (info.codes !== undefined) this.bar.append(...this.#codes(info.codes));
  }

  #codes({ size, range: [low, high] }: NonNullable<ModelInfo['codes']>): HTMLElement[] {
    return Array.from({ length: Math.min(size, CODES.length) }, (_, k) => {
      const slider = h('input', {
        type: 'range',
        min: String(low),
        max: String(high),
        step: 'any',
        input: () => this.setAttribute(`code-${k}`, slider.value),
      });
      this.#sliders.push(slider);
      return h('label', {}, `Code ${k}`, slider);
    });
  }

  /** The codes set by attributes. Sliders show them; codes without an attribute are at 0. */
  #fixed(): Record<number, number> | undefined {
    const given = CODES.flatMap((name, k) => {
      const text = this.getAttribute(name);
      if (text === null) return [];
      if (!Number.isFinite(Number(text)))
        throw new UserError(`${name}="${text}" should be a number.`);
      return [[k, Number(text)] as const];
    });
    const codes: Record<number, number> = Object.fromEntries(given);
    this.#sliders.forEach((slider, k) => {
      slider.value = String(codes[k] ?? 0);
    });
    return given.length + this.#sliders.length > 0 ? codes : undefined;
  }

  /** What does not change between drawings: classes, codes, and the number of images and columns. */
  #plan({ info }: Generator): GridPlan & { count: number; across: number } {
    const label = this.labelOf(info);
    const rows = info.condition && label === undefined ? info.condition.classes : 1;
    const count = Math.max(1, Math.round(this.number('count', 16, 1) / rows));
    const codes = info.codes && this.#fixed();
    return {
      count,
      across: this.number('columns', rows > 1 ? count : Math.ceil(Math.sqrt(count)), 1),
      ...(label !== undefined && { labels: [label] }),
      ...(codes && { codes }),
    };
  }

  async #draw(seed: number, drawn?: Float32Array): Promise<void> {
    const { model } = this;
    if (model === undefined) return;
    const { across, ...plan } = this.#plan(model);
    const from = performance.now();
    const mine = ++this.#latest;
    const { columns: _, ...inputs } = gridInputs(model.info, {
      ...plan,
      seed,
      ...(drawn && { latents: drawn }),
    });
    const images = await model.sample({ ...inputs, ...this.until(() => mine === this.#latest) });
    if (mine !== this.#latest) return; // another drawing was requested meanwhile
    images.draw(this.#canvas, { columns: across, gap: 1 });
    // Enlarged pixels should look like squares; made smaller that way, some would be left out.
    const smaller = this.#canvas.width > this.#canvas.clientWidth;
    this.#canvas.style.imageRendering = smaller ? 'auto' : '';
    const { name, condition } = model.info;
    const { count } = images;
    const [only] = plan.labels ?? [];
    const kind = only === undefined ? '' : ` of class ${condition?.names?.[only] ?? only}`;
    const label = `${count} ${count === 1 ? 'image' : 'images'}${kind} drawn by ${name}, seed ${seed}`;
    this.#canvas.setAttribute('aria-label', label);
    if (drawn !== undefined) return;
    const ms = performance.now() - from;
    this.say(`${label}, on ${model.device} in ${ms.toFixed(0)} ms`);
    this.emit('sample', { seed, count, ms });
  }

  protected show(): Promise<void> {
    return this.#draw(this.number('seed', 0));
  }

  /** Whether the images are moving towards those of the next seeds. */
  get walking(): boolean {
    return this.#walk?.getAttribute('aria-pressed') === 'true';
  }

  async #toggle(): Promise<void> {
    const starting = !this.walking;
    this.#walk?.setAttribute('aria-pressed', String(starting));
    if (starting) await this.attempt(() => this.#walkOn());
  }

  /** Moves from set to set of latents, frame by frame, until the button is pressed again. */
  async #walkOn(): Promise<void> {
    const { model } = this;
    if (model === undefined) return;
    const frame = () => new Promise<number>(requestAnimationFrame);
    const { info } = model;
    while (this.walking && this.model === model) {
      const [{ count }, seed] = [this.#plan(model), this.seed];
      const [a, b] = [latents(info, count, seed), latents(info, count, seed + 1)];
      const same = () =>
        this.walking &&
        this.model === model &&
        this.seed === seed &&
        this.#plan(model).count === count;
      const start = await frame();
      for (let t = 0; t < 1 && same(); ) {
        t = Math.min(1, ((await frame()) - start) / (1000 * WALK_SECONDS));
        // Slow at both ends, so that there is time to look at each set.
        await this.#draw(seed, blend(info, a, b, t * t * (3 - 2 * t)));
      }
      if (same()) this.seed = seed + 1;
    }
  }
}
