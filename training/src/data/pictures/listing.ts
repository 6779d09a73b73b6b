/** What a folder of pictures consists of: its parts, their classes, and what is left out. */
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import pMap from 'p-map';
import { groupBy } from '../../records.js';
import { AT_ONCE, type FoundFile, headOf, type Problem, type Tree } from './files.js';
import { FOREIGN, type Foreign, isNamedAsPicture, isReadable, kindOf } from './kinds.js';
import { isInspection, NORMAL } from './mvtec.js';
import { natural } from './natural.js';

/** A part of a data set. */
export const PARTS = ['train', 'val', 'test'] as const;
/** One of {@link PARTS}. */
export type PartName = (typeof PARTS)[number];

/** The names of sub-folders that are parts and not classes. */
const PART_NAMES: Readonly<Record<string, PartName>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

/** The pictures of a part. */
export interface Part {
  /** In order of the classes, and within each by code units of their paths. */
  readonly files: readonly FoundFile[];
  /** The class of each file, if sub-folders are classes. */
  readonly labels?: Uint8Array;
  /** Normalised (NFC), in natural order. */
  readonly classes?: readonly string[];
}

/** The files of a folder by what they are. Paths are relative to it. */
export interface Sorted {
  readonly pictures: readonly FoundFile[];
  /** Files that are named like pictures and are not, and links that lead nowhere. */
  readonly problems: readonly Problem[];
  /** Pictures of kinds that are not read: their paths. */
  readonly foreign: ReadonlyMap<Foreign, readonly string[]>;
  /** Other files. */
  readonly others: readonly string[];
}

/** The pictures of a folder by their parts; all are of `train` if no sub-folders say otherwise. */
export interface Listing extends Omit<Sorted, 'pictures'> {
  readonly parts: Readonly<Partial<Record<PartName, Part>>>;
  /** Whether sub-folders are parts. */
  readonly divided: boolean;
}

/**
 * Sorts the files of a folder by their contents.
 *
 * @throws UserError if there are no pictures
 */
export async function sortFiles(folder: string, tree: Tree): Promise<Sorted> {
  const kinds = await pMap(
    tree.files,
    async ({ path }) => kindOf(await headOf(join(folder, path))),
    { concurrency: AT_ONCE },
  );
  const known = tree.files.map((file, k) => ({ ...file, kind: kinds[k] }));
  const pictures = known.filter(({ kind }) => isReadable(kind));
  const kindless = known.filter(({ kind }) => kind === undefined);
  const strange = known.filter(({ kind }) => kind && !isReadable(kind));
  const byKind = [...groupBy(strange, ({ kind }) => kind as Foreign)];
  const foreign = new Map(byKind.map(([kind, files]) => [kind, files.map(({ path }) => path)]));
  const problems = [
    ...tree.problems,
    ...kindless
      .filter(({ path }) => isNamedAsPicture(path))
      .map((file) => ({ file: file.path, reason: noPicture(file) })),
  ];
  const others = kindless.map(({ path }) => path).filter((path) => !isNamedAsPicture(path));
  if (pictures.length === 0) throw new UserError(nothing(folder, foreign, problems));
  return { pictures, problems, foreign, others };
}

/**
 * The files of a folder that are named as pictures, and of the others those that are pictures: only they
 * are opened, because a folder may hold millions.
 */
export async function likelyPictures(folder: string, tree: Tree): Promise<string[]> {
  const paths = [...tree.files.map(({ path }) => path), ...tree.problems.map(({ file }) => file)];
  const nameless = tree.files.filter(({ path }) => !isNamedAsPicture(path));
  const isPicture = async ({ path }: FoundFile) =>
    isReadable(kindOf(await headOf(join(folder, path))));
  const found = await pMap(nameless, isPicture, { concurrency: AT_ONCE });
  const pictures = nameless.filter((_, k) => found[k]).map(({ path }) => path);
  return [...paths.filter(isNamedAsPicture), ...pictures].sort();
}

/**
 * Lists the pictures of a folder by parts and classes. Of a folder that is laid out like MVTec AD's, only
 * the normal pictures count, because the others are to be tested with.
 *
 * @throws UserError if there are no pictures, if pictures lie beside classes, or if a class has none
 */
export async function listPictures(folder: string, tree: Tree): Promise<Listing> {
  const { pictures, ...left } = await sortFiles(folder, tree);
  if (isInspection(tree)) {
    const files = pictures.filter(({ path }) => path.startsWith(`${NORMAL}/`));
    return { parts: { train: { files } }, divided: true, ...left };
  }
  const top = tree.folders.filter((name) => !name.includes('/'));
  const holding = top.filter((name) => pictures.some(({ path }) => path.startsWith(`${name}/`)));
  const divided = isDivided(holding) && pictures.every(({ path }) => path.includes('/'));
  const parts = divided
    ? partsOf(folder, pictures, holding, tree.folders)
    : { train: arrange(folder, '', pictures, top) };
  return { parts, divided, ...left };
}

const noPicture = ({ size }: FoundFile): string =>
  size === 0 ? 'is empty' : 'is not a picture, whatever its name says';

/** Only together with training images are `val` and `test` parts; `train` among other names is a class. */
const isDivided = (names: readonly string[]): boolean => {
  const parts = names.map((name) => PART_NAMES[name.toLowerCase()]);
  return parts.includes('train') && !parts.includes(undefined);
};

function partsOf(
  folder: string,
  pictures: readonly FoundFile[],
  names: readonly string[],
  folders: readonly string[],
): Listing['parts'] {
  const parts: Partial<Record<PartName, Part>> = {};
  for (const name of names) {
    const part = PART_NAMES[name.toLowerCase()] as PartName;
    if (parts[part]) {
      throw new UserError(`${folder} has two sub-folders of ${part} images; keep one of them.`);
    }
    const within = `${name}/`;
    const inside = (path: string) => path.startsWith(within);
    parts[part] = arrange(
      folder,
      within,
      pictures.filter(({ path }) => inside(path)),
      folders.filter(inside),
    );
  }
  return parts;
}

/** Makes classes of the sub-folders of `within`, if there are any with pictures. */
function arrange(
  folder: string,
  within: string,
  files: readonly FoundFile[],
  folders: readonly string[],
): Part {
  const place = join(folder, within);
  const isLoose = ({ path }: FoundFile) => !path.includes('/', within.length);
  const loose = files.filter(isLoose);
  const byClass = groupBy(
    files.filter((file) => !isLoose(file)),
    ({ path }) => path.slice(within.length, path.indexOf('/', within.length)).normalize('NFC'),
  );
  if (byClass.size === 0) return { files: loose };
  if (loose.length > 0) {
    throw new UserError(
      `${place} has images beside its sub-folders (${loose[0]?.path}); move them into sub-folders, ` +
        'whose names are the classes, or have no sub-folders.',
    );
  }
  if (byClass.size > 256) {
    throw new UserError(
      `${place} has ${byClass.size} sub-folders of images; at most 256 are allowed.`,
    );
  }
  for (const path of folders) {
    const name = path.slice(within.length).normalize('NFC');
    if (name.includes('/') || byClass.has(name)) continue;
    throw new UserError(
      `${join(folder, path)} holds no image that can be read, though the folders beside it are classes; ` +
        'put images into it, or remove it.',
    );
  }
  const classes = [...byClass.keys()].sort(natural);
  return {
    files: classes.flatMap((name) => byClass.get(name) as FoundFile[]),
    labels: Uint8Array.from(
      classes.flatMap((name, label) => (byClass.get(name) as FoundFile[]).map(() => label)),
    ),
    classes,
  };
}

function nothing(
  folder: string,
  foreign: Listing['foreign'],
  problems: readonly Problem[],
): string {
  const found = [...foreignSentence(foreign), ...problemSentence(problems)];
  return found.length > 0
    ? `${folder} has no images that can be read: ${found.join('; ')}.`
    : `${folder} has no images (PNG, JPEG, WebP, AVIF, GIF or TIFF), and no IDX files such as train-images-idx3-ubyte.`;
}

/** `15 HEIC (convert …), 2 BMP (…)`, or nothing. */
export function foreignSentence(foreign: Listing['foreign']): string[] {
  const kinds = [...foreign].map(([kind, paths]) => `${paths.length} ${kind} (${FOREIGN[kind]})`);
  return kinds.length > 0 ? [kinds.join(', ')] : [];
}

/** How many problems a sentence names. */
const NAMED = 5;

/** `a.png is empty, b.jpg is cut short and 3 more`, or nothing. */
export function problemSentence(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return [];
  const named = problems.slice(0, NAMED).map(({ file, reason }) => `${file} ${reason}`);
  const more = problems.length - named.length;
  return [named.join(', ') + (more > 0 ? ` and ${more} more` : '')];
}
