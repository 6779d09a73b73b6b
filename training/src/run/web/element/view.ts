/** What `<gpn-trainer>` shows: pictures, losses, numbers, buttons and sentences. */
import type { Images } from '@gpn/runtime';
import { h } from '@gpn/runtime/elements/parts';
import type { Curves } from '../store.js';
import type { TrainingProgress } from '../training.js';
import { drawCurves } from './curves.js';
import { Keepsake } from './keepsake.js';
import { roughly } from './words.js';

/** How far a training is; how fast, while it runs. */
export interface Facts extends Partial<Pick<TrainingProgress, 'imagesPerSecond' | 'secondsLeft'>> {
  readonly step: number;
  readonly steps: number;
}

/** What the buttons do. */
export interface Actions {
  readonly toggle: () => void;
  readonly restart: () => void;
  readonly keep: () => void;
}

/** What the curves of the losses are called; other metrics by their names. */
const LABELS: Readonly<Record<string, string>> = {
  generator: 'Loss of the generator',
  discriminator: 'Loss of the discriminator',
};

const whole = (n: number): string => n.toLocaleString('en');

export class TrainerView {
  readonly examples = canvas('The pictures that it learns from');
  readonly keepsake = new Keepsake();
  /** What all of it is in. */
  readonly root: HTMLElement;

  readonly #grid = canvas('What the generator draws');
  readonly #losses = svgOf('Losses of both networks');
  readonly #legend = h('p', { class: 'legend', part: 'legend' });
  readonly #bar = h('progress', { 'aria-label': 'Steps done', value: '0' });
  readonly #facts = h('p', { class: 'facts', part: 'facts' });
  readonly #status = h('p', { class: 'status', part: 'status', role: 'status' });
  readonly #main: HTMLButtonElement;
  readonly #again: HTMLButtonElement;
  readonly #keep: HTMLButtonElement;

  constructor({ toggle, restart, keep }: Actions) {
    this.#main = h('button', { class: 'main', part: 'button', click: toggle }, 'Start');
    this.#again = h('button', { click: restart }, 'Start again');
    this.#keep = h('button', { click: keep }, 'Keep it');
    const learns = h('div', {}, h('h3', {}, 'It learns from'), this.examples);
    const draws = h('div', {}, h('h3', {}, 'It draws'), this.#grid);
    this.root = h(
      'figure',
      { part: 'figure' },
      h('div', { class: 'pair', part: 'pictures' }, learns, draws),
      h('div', { class: 'loss', part: 'losses' }, this.#losses),
      ...[this.#legend, this.#bar],
      h(
        'figcaption',
        { part: 'controls' },
        ...[this.#main, this.#again, this.#keep],
        ...[this.#facts, this.#status, this.keepsake.panel],
      ),
    );
  }

  /** Shows nothing of the training before. */
  clear(): void {
    this.keepsake.hide();
    for (const shown of [this.examples, this.#grid]) shown.width = shown.height = 0;
  }

  draw(images: Images, step: number): void {
    images.draw(this.#grid, { gap: 1 });
    this.#grid.setAttribute('aria-label', `What the generator draws after ${step} steps`);
  }

  /** @param facts undefined if nothing was trained yet */
  show(facts: Facts | undefined, curves: Curves, isRunning: boolean): void {
    this.#bar.max = facts?.steps ?? 1;
    this.#bar.value = facts?.step ?? 0;
    this.#facts.textContent = facts ? factsText(facts, isRunning) : '';
    const top = drawCurves(this.#losses, curves);
    const names = Object.entries(curves.points);
    this.#legend.replaceChildren(
      ...names.map(([name, values]) => {
        const latest = h('b', {}, (values.at(-1) ?? 0).toFixed(2));
        return h('span', {}, h('i', { class: name }), `${LABELS[name] ?? name} `, latest);
      }),
      ...(names.length > 0 ? [h('span', {}, `Scale: 0 to ${top}`)] : []),
    );
  }

  buttons(state: { step: number; steps: number; running: boolean; isOpen: boolean }): void {
    const { step, steps, running, isOpen } = state;
    this.#main.textContent = running ? 'Pause' : step > 0 ? 'Go on' : 'Start';
    this.#main.hidden = step >= steps && !running;
    this.#again.hidden = running || step === 0;
    this.#keep.hidden = !isOpen || step === 0;
  }

  say(text: string, isError: boolean): void {
    this.#status.classList.toggle('error', isError);
    this.#status.textContent = text;
  }
}

function factsText({ step, steps, imagesPerSecond, secondsLeft }: Facts, isRunning: boolean) {
  const pace = isRunning && imagesPerSecond;
  const left = isRunning && secondsLeft;
  return [
    `Step ${whole(step)} of ${whole(steps)}`,
    ...(pace ? [`${whole(Math.round(pace))} images a second`] : []),
    ...(left ? [`about ${roughly(left)} left`] : []),
  ].join(' · ');
}

const canvas = (label: string): HTMLCanvasElement =>
  h('canvas', { part: 'canvas', role: 'img', 'aria-label': label, width: '0', height: '0' });

function svgOf(label: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg;
}
