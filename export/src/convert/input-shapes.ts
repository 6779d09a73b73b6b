import { ExportError } from '../error.js';
import { spec, type TensorSpec } from '../trace/trace.js';
import type { ModelInput } from './loaded.js';

/** Shapes given by the user, by the input's name; letters stand for free sizes, 'N' for the batch. */
export type InputShapes = Readonly<Record<string, readonly (number | string)[]>>;

/** The name of a free batch. */
export const FREE = 'N';

const NAME = /^[A-Z][A-Z0-9]*$/;

/**
 * Reads an input's name and shape, such as `name=1x64x96x3`; sizes are from 1 to 999999999, or a name in
 * capital letters where any will do: N for the batch.
 * @throws ExportError that shows the form if the text has another one
 */
export function parseInputShape(text: string): [name: string, shape: (number | string)[]] {
  const at = text.lastIndexOf('=');
  const [name, sizes] = [text.slice(0, at), text.slice(at + 1)];
  const shape = sizes === '' ? [] : sizes.split(/[x×,]/);
  if (at < 1 || !shape.every((d) => NAME.test(d) || (/^\d{1,9}$/.test(d) && Number(d) > 0))) {
    throw new ExportError(
      `The input shape "${text}" cannot be read: write it as name=1x64x96x3, with letters for sizes that stay free: NxHxWx3.`,
    );
  }
  return [name.replace(/:0$/, ''), shape.map((d) => (NAME.test(d) ? d : Number(d)))];
}

/**
 * What each input is traced as: fixed sizes stay, an unknown batch (the first size) is free, and
 * other unknown sizes must be given.
 * @throws ExportError that lists the inputs whose sizes are needed, or names the one given wrongly
 */
export function resolveInputs(inputs: readonly ModelInput[], given: InputShapes): TensorSpec[] {
  const known = new Set(inputs.map(({ name }) => name));
  const stray = Object.keys(given).find((name) => !known.has(name));
  if (stray !== undefined) {
    throw new ExportError(
      `The model has no input "${stray}" to give a shape to: it has ${inputs.map(shown).join(', ')}.`,
    );
  }
  for (const input of inputs) {
    const shape = given[input.name];
    if (shape && !fits(input, shape)) {
      throw new ExportError(
        `The input ${shown(input)} cannot have the shape [${shape.join(', ')}]: give as many sizes, the same where they are fixed, and ${FREE} for the first alone.`,
      );
    }
  }
  const batch = givenBatch(inputs, given);
  const shapes = inputs.map((input) => given[input.name] ?? withBatch(input, batch));
  const open = inputs.filter((_, i) => !shapes[i] || shapes[i].some((d) => d === null));
  if (open.length > 0) {
    throw new ExportError(
      `The model leaves sizes open that an export must know, in ${open.map(shown).join(', ')}: ` +
        `give them with ${open.map(example).join(' ')}.`,
    );
  }
  return inputs.map(({ dtype }, i) => spec(shapes[i] as (number | string)[], dtype));
}

const fits = ({ shape }: ModelInput, given: readonly (number | string)[]): boolean =>
  !shape ||
  (shape.length === given.length &&
    given.every((d, i) => (shape[i] === null ? d !== FREE || i === 0 : shape[i] === d)));

/** A batch given for one input is the batch of all. */
function givenBatch(inputs: readonly ModelInput[], given: InputShapes): number | string {
  const first = inputs.find(({ name, shape }) => given[name] && (!shape || shape[0] === null));
  return (first && given[first.name]?.[0]) ?? FREE;
}

const withBatch = ({ shape }: ModelInput, batch: number | string) =>
  shape?.map((d, i) => (d === null && i === 0 ? batch : d));

const shown = ({ name, shape }: ModelInput): string =>
  `"${name}" [${shape ? shape.map((d) => d ?? '?').join(', ') : '?'}]`;

const example = ({ name, shape }: ModelInput): string =>
  `--input-shape ${name}=${(shape ?? [1, 64, 96, 3]).map((d, i) => d ?? (i === 0 ? 1 : 64)).join('x')}`;
