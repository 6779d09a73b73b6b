/** What both elements have in common: a model that is loaded once the element becomes visible. */

import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { classOf } from '../model/classes.js';
import type { LoadOptions, LoadProgress } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { BatchOptions } from '../session/batches.js';
import { styleSheet } from './style.js';

/** A stand-in lets a server, which has no HTMLElement, import the elements. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

type Tag = keyof HTMLElementTagNameMap;

/** Creates an HTML element from its attributes and event listeners, and its children. */
export function h<T extends Tag>(
  tag: T,
  attributes: Record<string, string | EventListener> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string') made.setAttribute(name, value);
    else made.addEventListener(name, value);
  }
  made.append(...children);
  return made;
}

/** Whether a text is a whole number from 0. */
export const isWhole = (text: string): boolean => /^\d+$/.test(text);

/** A choice of a class, which sets the element's `label`. `none` names the choice of no class. */
export function classChoice(
  element: HTMLElement,
  { classes, names }: NonNullable<ModelInfo['condition']>,
  none?: string,
): HTMLElement {
  const select = h('select', { change: () => element.setAttribute('label', select.value) });
  if (none !== undefined) select.append(h('option', { value: 'all' }, none));
  for (let k = 0; k < classes; k++) {
    select.append(h('option', { value: String(k) }, names?.[k] ?? String(k)));
  }
  const asked = element.getAttribute('label')?.toLowerCase() || (none === undefined ? '0' : 'all');
  const options = [...select.options];
  // No choice is shown for a class that there is not: the element says so once it is drawn.
  select.selectedIndex = options.findIndex(
    ({ value, text }) => value === asked || text.toLowerCase() === asked,
  );
  return h('label', {}, 'Class', select);
}

const PHASES: Record<LoadProgress['phase'], string> = {
  fetch: 'Fetching the model',
  session: 'Starting ONNX Runtime',
  'warm-up': 'Warming up',
  ready: 'Ready',
};

/**
 * An element that shows a model. Attributes: `src`, the model's URL; `assets`, the folder of ONNX
 * Runtime's files; `device`; `digest`, the file's SHA-256; `worker`, its script's URL, or `false`. Events, which bubble: `gpn-load`,
 * `gpn-progress`, `gpn-error`.
 */
export abstract class ModelElement<M extends Model> extends Base {
  /** The loaded model; undefined before it is loaded and after an error. */
  model: M | undefined;
  protected readonly stage = globalThis.document && h('div', { class: 'stage', part: 'stage' });
  protected readonly bar = globalThis.document && h('figcaption', { part: 'controls' });
  readonly #status =
    globalThis.document && h('p', { class: 'status', part: 'status', role: 'status' });
  readonly #wait = globalThis.document && h('progress', { 'aria-label': 'Loading' });
  readonly #poster: HTMLElement =
    globalThis.document &&
    h(
      'div',
      { class: 'poster' },
      h('slot', { name: 'poster' }, h('span', {}, 'A model will appear here')),
      this.#wait,
    );
  #watch: IntersectionObserver | undefined;
  #loading: AbortController | undefined;

  protected abstract open(src: string, options: LoadOptions): Promise<M>;
  /** Shows the model's results: once it is loaded, and whenever an attribute changes. */
  protected abstract show(): Promise<void>;
  /** Creates the controls for what this model takes. */
  protected abstract controls(model: M): void;

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      this.#wait.hidden = true;
      this.stage.append(this.#poster);
      const figure = h('figure', { part: 'figure' }, this.stage, this.bar);
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [styleSheet()];
      root.append(figure);
    }
    // A model is not fetched before its element is scrolled into view.
    this.#watch = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) {
        this.#watch?.disconnect();
        void this.#load();
      }
    });
    this.#watch.observe(this);
  }

  disconnectedCallback(): void {
    this.#watch?.disconnect();
    this.#close();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected || this.#loading === undefined) return;
    if (['src', 'assets', 'device', 'digest', 'worker'].includes(name)) void this.#load();
    else if (this.model !== undefined) void this.attempt(() => this.#present());
  }

  async #present(): Promise<void> {
    await this.show();
    this.#poster.hidden = true;
  }

  #close(): void {
    this.#loading?.abort();
    this.#loading = undefined;
    void this.model?.dispose();
    this.model = undefined;
  }

  async #load(): Promise<void> {
    this.#close();
    const loading = new AbortController();
    this.#loading = loading;
    const src = this.getAttribute('src');
    if (src === null) return;
    this.#poster.hidden = false;
    this.#wait.hidden = false;
    const given = ['assets', 'device', 'digest', 'worker'].flatMap((name) => {
      const value = this.getAttribute(name);
      return value === null ? [] : [[name, value === 'false' ? false : value] as const];
    });
    const onProgress = (progress: LoadProgress): void => {
      if (progress.phase === 'fetch' && progress.total > 0) {
        this.#wait.max = progress.total;
        this.#wait.value = progress.done;
      } else this.#wait.removeAttribute('value');
      this.say(`${PHASES[progress.phase]} …`);
      this.emit('progress', progress);
    };
    await this.attempt(async () => {
      if (src.trim() === '') throw new UserError('src="" is empty: give the URL of an .onnx file.');
      const options = { ...Object.fromEntries(given), onProgress, signal: loading.signal };
      const model = await this.open(src, options);
      if (loading.signal.aborted) return model.dispose();
      this.model = model;
      this.bar.replaceChildren();
      this.controls(model);
      this.bar.append(this.#status);
      this.emit('load', { info: model.info, device: model.device, reason: model.reason });
      await this.#present();
    });
  }

  /** Runs `work`; an error is shown in the element and emitted as `gpn-error`. */
  protected async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { name, message } = error as Error;
      if (name === 'AbortError') return;
      this.#wait.hidden = true;
      this.say(message, true);
      this.emit('error', { error });
    }
  }

  /**
   * Options that end a computation: at once when the element is removed or gets another model, and
   * after a batch when its result is no longer `wanted`. A batch is small, so that the worker, which
   * all elements share, is soon free.
   */
  protected until(
    wanted: () => boolean,
    onProgress?: BatchOptions['onProgress'],
  ): Pick<BatchOptions, 'signal' | 'onProgress'> {
    const signal = this.#loading?.signal;
    return {
      ...(signal && { signal }),
      onProgress: (done, total) => {
        if (!wanted()) throw new DOMException('Another result was asked for', 'AbortError');
        onProgress?.(done, total);
      },
    };
  }

  protected say(text: string, isError = false): void {
    if (!this.#status.isConnected) this.bar.append(this.#status);
    this.#status.classList.toggle('error', isError);
    this.#status.textContent = text;
  }

  protected emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`gpn-${name}`, { detail, bubbles: true, composed: true }));
  }

  /** The class in the attribute `label`, a number or a name; undefined if there is none or it is `all`. */
  protected labelOf(info: ModelInfo): number | undefined {
    const text = this.getAttribute('label') ?? '';
    return text === '' || text === 'all' ? undefined : classOf(info, text);
  }

  /**
   * The whole number in an attribute, or the default.
   *
   * @throws UserError if it is something else
   */
  protected number(name: string, defaultValue: number, min = 0): number {
    const text = this.getAttribute(name) || String(defaultValue);
    if (isWhole(text) && Number(text) >= min) return Number(text);
    throw new UserError(`${name}="${text}" should be a whole number from ${min}.`);
  }
}
