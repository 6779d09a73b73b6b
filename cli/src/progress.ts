/** Shows training as it goes: a bar on a terminal, a line now and then anywhere else. */
import type { TrainEvent } from '@gpn/training';
import { Format, SingleBar } from 'cli-progress';

type Start = Extract<TrainEvent, { type: 'start' }>;
type Step = Extract<TrainEvent, { type: 'step' }>;

/** Seconds between two lines where the output is no terminal, such as a log. */
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

/** What is shown of a step, after the bar or on a line; `secondsLeft` is null before it is known. */
export function describeStep(step: Step, secondsLeft: number | null): string {
  const losses = Object.entries(step.losses).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return [
    `step ${amount(step.step)}/${amount(step.steps)}`,
    `ETA ${secondsLeft === null ? '?' : clock(secondsLeft)}`,
    `${amount(step.imagesPerSecond)} images/s`,
    ...losses,
  ].join(' · ');
}

const describeStart = (start: Start): string =>
  `Training on ${amount(start.images)} images, ${amount(start.steps)} steps, on ${start.device}` +
  `${start.reason ? ` (${start.reason})` : ''}, into ${start.out}\n`;

/** Time left, from the pace since the start of this process: a resumed run has steps behind it. */
const timeLeft = (step: Step, first: number, seconds: number): number | null => {
  const done = step.step - first;
  return done > 0 ? (seconds / done) * (step.steps - step.step) : null;
};

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
  const bar = new SingleBar({
    stream,
    format: '{bar} {percentage}% · {text}',
    formatBar: Format.BarFormat,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    hideCursor: true,
    linewrap: false,
    fps: 5,
  });
  let began = now();
  let firstStep = 0;
  let lastLine = Number.NEGATIVE_INFINITY;

  const onStep = (step: Step): void => {
    const text = describeStep(step, timeLeft(step, firstStep, now() - began));
    if (stream.isTTY) bar.update(step.step, { text });
    else if (now() - lastLine >= LINE_EVERY || step.step === step.steps) {
      lastLine = now();
      stream.write(`${Math.floor((100 * step.step) / step.steps)}% · ${text}\n`);
    }
  };

  return {
    on(event) {
      if (event.type === 'start') {
        stream.write(describeStart(event));
        began = now();
        firstStep = event.step;
        if (stream.isTTY) bar.start(event.steps, event.step, { text: '' });
      } else if (event.type === 'step') onStep(event);
    },
    stop() {
      bar.stop();
    },
  };
}
