/** Shows the progress of a training: a bar on a terminal, a line every few seconds elsewhere. */
import type { TrainEvent } from '@gpn/training';
import cliProgress from 'cli-progress';
import { printable } from './print.js';

type Start = Extract<TrainEvent, { type: 'start' }>;
type Quality = Extract<TrainEvent, { type: 'quality' }>;
type Step = Extract<TrainEvent, { type: 'step' }>;
type Evaluation = Extract<TrainEvent, { type: 'evaluation' }>;
type Collapse = Extract<TrainEvent, { type: 'collapse' }>;

/** Seconds between two lines if the output is not a terminal but, for example, a log. */
const LINE_EVERY = 5;

/** 3725 → `1:02:05`, 65 → `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

const amount = (value: number): string => Math.round(value).toLocaleString('en');

/** The text about a step, after the bar or on a line; `secondsLeft` is null until it is known. */
export function describeStep(step: Step, secondsLeft: number | null): string {
  // G and D: with full names, the line would be too long for a terminal of 80 columns.
  const losses = Object.entries(step.losses).map(
    ([network, loss]) => `${network.charAt(0).toUpperCase()} ${loss.toFixed(3)}`,
  );
  return [
    `${amount(step.step)}/${amount(step.steps)}`,
    `ETA ${secondsLeft === null ? '?' : clock(secondsLeft)}`,
    `${amount(step.imagesPerSecond)} images/s`,
    ...losses,
  ].join(' · ');
}

const describeStart = (start: Start): string =>
  `Training on ${amount(start.images)} images, ${amount(start.steps)} steps, on ${start.device}` +
  `${start.reason ? ` (${start.reason})` : ''}, into ${start.out}\n`;

const describeQuality = ({ quality }: Quality): string =>
  quality.map(({ metric, value }) => `${metric}: ${value.toFixed(3)}\n`).join('');

/** The results of an evaluation, on a line: `Step 1,000: Fréchet distance 34.1, the best so far · …`. */
export function describeEvaluation({ step, measures, best, classes }: Evaluation): string {
  const { frechet, sliced, recall, duplicates, deviation, classes: drawn } = measures;
  const mark = best ? ', the best so far' : '';
  const known = (value: number | undefined, text: (value: number) => string) =>
    value === undefined ? [] : [text(value)];
  const findings = [
    ...known(frechet, (x) => `Fréchet distance ${x.toFixed(1)}${mark}`),
    ...known(sliced, (x) => `sliced Wasserstein distance ${x.toFixed(1)}${mark}`),
    ...known(recall, (x) => `recall ${x.toFixed(2)}`),
    ...known(drawn, (x) => `${x} of ${classes} classes`),
    ...known(duplicates, (x) => `${(100 * x).toFixed(0)} % duplicates`),
    ...(frechet === undefined ? known(deviation, (x) => `pixel deviation ${x.toFixed(3)}`) : []),
  ];
  return `Step ${amount(step)}: ${findings.join(' · ')}\n`;
}

const REACTIONS: Record<Collapse['action'], (collapse: Collapse) => string> = {
  warn: () => 'training goes on, as the recipe says',
  stop: () => 'training stops',
  rollback: ({ best }) =>
    `training goes back to step ${amount(best?.step ?? 0)}, the best so far, with half the learning rates`,
};

const describeCollapse = (collapse: Collapse): string =>
  `Step ${amount(collapse.step)}: the generator has collapsed: ${collapse.signs.join('; ')}; ` +
  `${REACTIONS[collapse.action](collapse)}\n`;

/** Seconds that the pace is taken from: a machine gets busy, and evaluations take their time. */
const RECENT = 60;
/** Seconds between the moments that are kept of them. */
const APART = 0.5;

/**
 * Tells the seconds left from the pace of the last minute; null before it is known. The steps before a resume do not count.
 * @param from the step and the moment of the start
 */
export function timer(from: {
  step: number;
  at: number;
}): (step: Pick<Step, 'step' | 'steps'>, at: number) => number | null {
  const moments = [from];
  return ({ step, steps }, at) => {
    if (at - (moments.at(-1)?.at ?? at) >= APART) moments.push({ step, at });
    while (moments[1] !== undefined && moments[1].at <= at - RECENT) moments.shift();
    const { step: first, at: since } = moments[0] ?? from;
    return step > first ? ((at - since) / (step - first)) * (steps - step) : null;
  };
}

export interface Progress {
  on(event: TrainEvent): void;
  stop(): void;
}

/**
 * @param stream where to draw, stderr in a command, so that stdout stays for results
 * @param now seconds from any fixed moment
 */
export function createProgress(
  stream: NodeJS.WriteStream,
  now = () => performance.now() / 1000,
): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage}% · {text}',
    formatBar: cliProgress.Format.BarFormat,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 15,
    linewrap: false,
    fps: 5,
    gracefulExit: false, // signals are the command's to handle
  });
  let timeLeft = timer({ step: 0, at: now() });
  let steps = 0;
  let lastLine = now();

  const begin = (total: number, done: number): void => {
    if (stream.isTTY) bar.start(total, done, { text: '' });
  };
  const show = (done: number, total: number, text: string): void => {
    if (stream.isTTY) bar.update(done, { text });
    else if (now() - lastLine >= LINE_EVERY) {
      lastLine = now();
      stream.write(`${Math.floor((100 * done) / total)}% · ${text}\n`);
    }
  };
  const interject = (step: number, text: string): void => {
    bar.stop();
    stream.write(text);
    begin(steps, step);
  };

  return {
    on(event) {
      if (event.type === 'data') {
        if (!bar.isActive) begin(event.total, 0);
        show(event.done, event.total, `image ${amount(event.done)}/${amount(event.total)}`);
      } else if (event.type === 'start') {
        bar.stop();
        stream.write(printable(describeStart(event)));
        timeLeft = timer({ step: event.step, at: now() });
        steps = event.steps;
        begin(event.steps, event.step);
      } else if (event.type === 'step') {
        const { step, steps } = event;
        // The last step is always shown.
        if (step === steps) lastLine = Number.NEGATIVE_INFINITY;
        show(step, steps, describeStep(event, timeLeft(event, now())));
      } else if (event.type === 'quality') interject(event.step, describeQuality(event));
      else if (event.type === 'evaluation') interject(event.step, describeEvaluation(event));
      else if (event.type === 'collapse') interject(event.step, describeCollapse(event));
      else if (event.type === 'note') stream.write(`${printable(event.text)}\n`);
    },
    stop: () => bar.stop(),
  };
}
