/** What an element trains by and learns from: the step, the images and the checkpoint that its attributes name. */
import { product, readSource, UserError } from '@gpn/runtime';
import { readStepInfo, type StepInfo } from '../../../export/step-file.js';
import { fits } from '../checkpoint.js';
import type { PageImages } from '../data.js';
import { enoughImages } from '../few.js';
import { imagesFrom, type PagePictures, type Prepared } from '../pictures.js';
import type { Store } from '../store.js';
import { openTraining, type Training } from '../training.js';

/** Where everything is had from, and who is told of it. */
export interface Sources {
  /** The value of an attribute; null if it is not there. */
  attribute(name: string): string | null;
  /** Pictures that are given in place of the attribute `data`. */
  readonly given: PageImages | PagePictures | undefined;
  /** What the browser kept of an earlier visit. */
  readonly store: Store;
  /** Gets a sentence about what is being done. */
  say(text: string): void;
  /** Gets what does not hinder the training. */
  warn(error: unknown): void;
  /** Gets the images to learn from, and words about them. */
  show(images: PageImages, info: StepInfo, notes: readonly string[]): void;
}

/**
 * Opens the training that attributes name: by a step's file or a step that is made of a recipe, and from where
 * an earlier visit has left it, if that was with the same images and step.
 *
 * @returns it, and whether it goes on where an earlier one was
 * @throws UserError if something is missing or broken
 */
export async function openFrom(sources: Sources): Promise<{ training: Training; goesOn: boolean }> {
  const { attribute, store, say } = sources;
  const { bytes, label } = await stepFrom(sources);
  const info = readStepInfo(bytes, label);
  const images = await learntFrom(sources, info);
  say('Starting ONNX Runtime …');
  const kept = await store.checkpoint().catch(() => undefined);
  const checkpoint = kept && (await fits(kept, images, info)) ? kept : undefined;
  const given = ['assets', 'device', 'worker'].flatMap((name) => {
    const value = attribute(name);
    return value === null ? [] : [[name, value === 'false' ? false : value] as const];
  });
  const threads = Number(attribute('threads')) || undefined;
  const training = await openTraining({
    ...Object.fromEntries(given),
    ...images,
    step: new File([bytes as Uint8Array<ArrayBuffer>], label),
    ...(threads && { threads }),
    ...(checkpoint && { checkpoint }),
  });
  return { training, goesOn: checkpoint !== undefined };
}

/** The step's file, or one made of the recipe. */
async function stepFrom({
  attribute,
  say,
}: Sources): Promise<{ bytes: Uint8Array; label: string }> {
  const [step, recipe] = [attribute('step'), attribute('recipe')];
  if (step) {
    say('Fetching the training step …');
    return readSource(step);
  }
  if (!recipe) {
    throw new UserError(
      'step="" is empty: give the address of a training step, or of a recipe as recipe="".',
    );
  }
  say('Fetching the recipe …');
  const { bytes, label } = await readSource(recipe);
  say('Making the training step of the recipe …');
  const { stepOf } = await import('../trace.js').catch(() => {
    throw new UserError(
      'The part that makes a step of a recipe cannot be fetched: check the connection, or give a step.',
    );
  });
  return { bytes: stepOf(new TextDecoder().decode(bytes), label), label };
}

/** The images to learn from: those given, of an earlier visit, or of the attribute. */
async function learntFrom(
  { attribute, given, store, say, warn, show }: Sources,
  info: StepInfo,
): Promise<PageImages> {
  const from = given ?? (await store.images().catch(() => undefined)) ?? attribute('data');
  if (!from) throw new UserError('There is nothing to learn from: choose pictures first.');
  const ready: PageImages & Partial<Prepared> =
    typeof from === 'object' && 'images' in from
      ? from
      : await imagesFrom(from, info, (done, total) => {
          if (total > 1) say(`Reading pictures … ${done} of ${total}`);
        });
  const images = enoughImages(ready, info);
  show(images, info, notesOn(ready, images, info));
  // What a visitor brought is not to be had again after a reload.
  if (given) await store.saveImages(ready).catch(warn);
  return images;
}

/** How many pictures there are, what was made of them, and how many could not be read. */
function notesOn(
  ready: PageImages & Partial<Prepared>,
  made: PageImages,
  info: StepInfo,
): string[] {
  const { height, width, channels } = info.recipe.data;
  const count = ({ images }: PageImages) => images.length / product([height, width, channels]);
  const [before, after] = [count(ready), count(made)];
  const unread = ready.unread?.length ?? 0;
  return [
    after > before
      ? `${before} pictures, bent a little in ${after.toLocaleString('en')} ways`
      : `${before.toLocaleString('en')} pictures`,
    ...(unread > 0 ? [`${unread} file(s) could not be read`] : []),
  ];
}
