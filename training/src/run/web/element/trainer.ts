/** `<gpn-trainer>`: a GAN that learns in the page, watched by the visitor. */
import { UserError } from '@gpn/runtime';
import { styleSheet } from '@gpn/runtime/elements/parts';
import type { Role } from '../../../export/info.js';
import type { PageImages } from '../data.js';
import type { PagePictures } from '../pictures.js';
import { type Store, storeOf } from '../store.js';
import type { Training, TrainingProgress } from '../training.js';
import { CurveKeeper } from './curves.js';
import { examplesOf } from './examples.js';
import { openFrom } from './sources.js';
import { trainerSheet } from './style.js';
import { type Facts, TrainerView } from './view.js';
import { sentenceFor } from './words.js';

/** A stand-in lets a server, which has no HTMLElement, import the element. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** The seed of the latents that are drawn again and again while the generator learns. */
const SEED = 0;
const COUNT = 36;
/** Between two pictures: in milliseconds at least, and by what they took at least. */
const [PAUSE, SHARE] = [1000, 12];
/** Milliseconds between two changes of the numbers, at least. */
const REFRESH = 400;

/**
 * `<gpn-trainer step data>` or `<gpn-trainer recipe data>`: trains by a step's file, or by a step that it
 * traces here.
 *
 * Attributes: `step`, the address of the file that `gpn-cli export --training-step` wrote, or `recipe`,
 * that of a recipe (YAML or JSON), which has TensorFlow.js loaded; `data`, that of a sheet of images,
 * unless the property `pictures` gives some; `count`, images of the grid, 36 by default; `every`, steps
 * between checkpoints in IndexedDB, as in the recipe by default; `keep`, the name under which they are
 * kept, the address of the step or the recipe by default; `assets`, `device`, `threads` and `worker` as of
 * `openSession`. Events, which bubble: `gpn-load`, `gpn-progress`, `gpn-checkpoint`, `gpn-done`,
 * `gpn-error`.
 */
export class GpnTrainer extends Base {
  static readonly observedAttributes = ['step', 'recipe', 'data', 'keep'];
  /** The open training; undefined before it starts and after the element is removed. */
  training: Training | undefined;

  readonly #view = new TrainerView({
    toggle: () => void this.#toggle(),
    restart: () => void this.restart(),
    keep: () => void this.#attempt(() => this.#offer()),
  });

  #given: PageImages | PagePictures | undefined;
  #pausing: AbortController | undefined;
  #running: Promise<void> | undefined;
  #curves = new CurveKeeper();
  #saving: Promise<void> = Promise.resolve();
  /** Where the present training is kept: attributes that change meanwhile are the next one's. */
  #store = this.#place();
  /** What a removed element, or one with other attributes, must not go on with. */
  #life = new AbortController();

  /** Pictures or images to learn from, in place of the attribute `data`. */
  set pictures(given: PageImages | PagePictures | undefined) {
    this.#given = given;
    if (this.isConnected) this.#changed();
  }

  get pictures(): PageImages | PagePictures | undefined {
    return this.#given;
  }

  /** Whether steps are running. */
  get running(): boolean {
    return this.#pausing !== undefined;
  }

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [styleSheet(), trainerSheet()];
      root.append(this.#view.root);
    }
    document.addEventListener('visibilitychange', this.#whenHidden);
    void this.#reset();
  }

  disconnectedCallback(): void {
    document.removeEventListener('visibilitychange', this.#whenHidden);
    void this.#close();
  }

  attributeChangedCallback(_: string, before: string | null, after: string | null): void {
    if (before !== after && this.isConnected && this.shadowRoot !== null) this.#changed();
  }

  /** Starts the training, or goes on. Resolves when it pauses or is done. */
  async start(): Promise<void> {
    if (this.#running) return this.#running;
    this.#running = this.#attempt(() => this.#train());
    await this.#running;
    this.#running = undefined;
  }

  /** Pauses the training within about half a second, and keeps its checkpoint. */
  async pause(): Promise<void> {
    this.#pausing?.abort();
    await this.#running;
  }

  /** Gives up what was learnt, and starts anew. */
  async restart(): Promise<void> {
    await this.#close(false);
    await this.#saving;
    await this.#attempt(() => this.#store.clear());
    await this.#reset();
    await this.start();
  }

  /** A network as it is, as the bytes of an .onnx file. @throws UserError before the first start */
  network(role: Role): Promise<Uint8Array> {
    if (this.training) return this.training.network(role);
    throw new UserError('Nothing is trained yet: press Start.');
  }

  /** The place of what the attributes name. */
  #place(): Store {
    const [keep, step, recipe] = ['keep', 'step', 'recipe'].map((name) => this.getAttribute(name));
    return storeOf(keep || step || recipe || 'training');
  }

  /** Shows what the browser kept of an earlier visit, and nothing of what was before. */
  async #reset(): Promise<void> {
    await this.#close(); // which keeps the training before, in its own place
    this.#store = this.#place();
    const life = new AbortController();
    this.#life = life;
    this.#curves = new CurveKeeper();
    this.#latest = undefined;
    this.#view.clear();
    const kept = await this.#store.kept().catch(() => undefined);
    if (life.signal.aborted) return;
    if (kept) this.#curves = new CurveKeeper(kept.curves);
    this.#show(kept);
    this.#say(kept ? `Kept by this browser at step ${kept.step.toLocaleString('en')}` : '');
  }

  /** Several changes in a row count as one. */
  #changed(): void {
    const life = this.#life;
    queueMicrotask(() => {
      if (this.#life === life && !life.signal.aborted) void this.#reset();
    });
  }

  /** Frees the worker, once the training is kept. */
  async #close(keeping = true): Promise<void> {
    this.#life.abort();
    this.#pausing?.abort();
    const { training } = this;
    this.training = undefined;
    await this.#running;
    if (training) await this.#free(training, keeping);
  }

  async #free(training: Training, keeping = true): Promise<void> {
    if (keeping) await this.#save(training).catch(() => undefined);
    await training.dispose();
  }

  async #toggle(): Promise<void> {
    await (this.running ? this.pause() : this.start());
  }

  async #open(signal: AbortSignal): Promise<Training> {
    const { training, goesOn } = await openFrom({
      attribute: (name) => this.getAttribute(name),
      given: this.#given,
      store: this.#store,
      say: (text) => this.#say(text),
      warn: (error) => this.#warn(error),
      show: (images, info, notes) => {
        this.#notes = notes;
        examplesOf(images, info, COUNT).draw(this.#view.examples, { gap: 1 });
      },
    });
    if (!goesOn) this.#curves = new CurveKeeper();
    if (!signal.aborted) return training;
    await training.dispose();
    throw signal.reason;
  }

  #notes: readonly string[] = [];

  async #train(): Promise<void> {
    const pausing = new AbortController();
    this.#pausing = pausing;
    this.#buttons();
    try {
      this.training ??= await this.#open(this.#life.signal);
      const { training } = this;
      const { device, reason, info } = training;
      this.#say([...this.#notes, reason].join(' · '));
      this.#emit('load', { info, device, reason });
      const every = Number(this.getAttribute('every')) || info.recipe.output.checkpoint_every;
      const drawing = this.#drawOn(training, pausing.signal);
      let latest = training.step;
      await training.run({
        signal: pausing.signal,
        onProgress: (progress) => {
          this.#curves.add(progress.metrics);
          this.#emit('progress', progress);
          if (Math.floor(progress.step / every) > Math.floor(latest / every)) {
            void this.#save(training).catch((error) => this.#warn(error));
          }
          latest = progress.step;
          this.#latest = progress;
          this.#showSoon();
        },
      });
      const done = training.step >= training.steps;
      pausing.abort();
      await drawing;
      if (this.training !== training) return;
      this.#pausing = undefined;
      await this.#save(training).catch((error) => this.#warn(error));
      this.#buttons(); // only now: who sees that it can go on may leave
      await this.#draw(training);
      if (done) this.#emit('done', { step: training.step });
    } catch (error) {
      // What has failed may be broken: to go on opens another, from what is kept.
      pausing.abort();
      const { training } = this;
      this.training = undefined;
      if (training) await this.#free(training);
      throw error;
    } finally {
      pausing.abort();
      this.#pausing = undefined;
      this.#buttons();
    }
  }

  #latest: TrainingProgress | undefined;
  #shownAt = 0;

  /** Shows the numbers and the curves, a few times a second at most. */
  #showSoon(): void {
    const now = performance.now();
    if (!this.#latest || now - this.#shownAt < REFRESH) return;
    this.#shownAt = now;
    this.#show(this.#latest);
  }

  /** Shows how far the training is, again and again; in a hidden tab nothing is drawn. */
  async #drawOn(training: Training, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = performance.now();
      if (document.visibilityState === 'visible') {
        await this.#draw(training).catch(() => undefined);
      }
      const took = performance.now() - from;
      await sleep(Math.max(PAUSE, SHARE * took), signal);
    }
  }

  async #draw(training: Training): Promise<void> {
    const count = Number(this.getAttribute('count')) || COUNT;
    const images = await training.draw({ count, seed: SEED });
    if (this.training !== training) return;
    const { step, steps } = training;
    this.#view.draw(images, step);
    this.#show({ ...this.#latest, step, steps });
  }

  #show(facts: Facts | undefined): void {
    this.#view.show(facts, this.#curves.curves, this.running);
    this.#buttons(facts ?? { step: 0, steps: Number.POSITIVE_INFINITY });
  }

  #buttons(facts?: Pick<Facts, 'step' | 'steps'>): void {
    const { training, running } = this;
    const { step, steps } = facts ?? training ?? this.#latest ?? { step: 0, steps: 1 };
    this.#view.buttons({ step, steps, running, isOpen: training !== undefined });
  }

  readonly #whenHidden = (): void => {
    const { training } = this;
    if (document.visibilityState === 'hidden' && training && this.running) {
      void this.#save(training).catch((error) => this.#warn(error));
    }
  };

  /** Keeps a checkpoint in the browser, after those before it. */
  #save(training: Training): Promise<void> {
    const save = async (): Promise<void> => {
      const { steps } = training;
      const { curves } = this.#curves;
      const { bytes, step } = await training.snapshot();
      await this.#store.save(bytes, { step, steps, curves });
      this.#emit('checkpoint', { step });
    };
    const saved = this.#saving.then(save);
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  /** Offers the networks and the checkpoint as files, and the line that shows the generator. */
  async #offer(): Promise<void> {
    const { training } = this;
    if (training) await this.#view.keepsake.show(training);
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if ((error as Error).name === 'AbortError') return;
      this.#say(sentenceFor(error), true);
      this.#emit('error', { error });
    }
  }

  /** Says what does not stop the training. */
  #warn(error: unknown): void {
    this.#say(sentenceFor(error), true);
    this.#emit('error', { error });
  }

  #say(text: string, isError = false): void {
    this.#view.say(text, isError);
  }

  #emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`gpn-${name}`, { detail, bubbles: true, composed: true }));
  }
}

/** Waits, at most until the signal. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
