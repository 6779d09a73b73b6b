/** Loads data sets by name or folder. */
import { UserError } from '@gpn/runtime';
import { classHistogram } from '../format/labels.js';
import { hashImages } from '../images.js';
import { gather, rowsAt } from '../rows.js';
import type { Dataset, DatasetOptions, Images, Split } from '../types.js';
import { loadFashion } from './fashion.js';
import { checkFolder, loadFolder } from './folder.js';
import { loadMnist } from './mnist.js';
import { isNamed, type NAMES } from './names.js';
import { loadStackedMnist } from './stacked-mnist.js';

/** The loaders of the named data sets. */
const LOADERS: Readonly<Record<(typeof NAMES)[number], (split: Split) => Promise<Images>>> = {
  mnist: loadMnist,
  fashion: loadFashion,
  'stacked-mnist': loadStackedMnist,
};
const loaderOf = (spec: string) => LOADERS[spec as keyof typeof LOADERS];

/**
 * Loads a data set. Image files are resized to the requested size; other data must have that size.
 *
 * @param spec `mnist`, `fashion`, or the path of a folder: see `loadFolder`
 * @throws UserError if the data set is missing, broken, or of another size
 */
export async function loadDataset(spec: string, options: DatasetOptions): Promise<Dataset> {
  const { split = 'train' } = options;
  const load = isNamed(spec) && loaderOf(spec);
  const all = load ? await load(split) : await loadFolder(spec, { ...options, split });
  checkSize(all, options);
  const kept = options.classes === undefined ? all : selectClasses(all, options.classes);
  const { labels, classes } = kept;
  const folder = !load && labels && classes;
  const shares = folder && [...classHistogram(labels, classes.length)];
  return { ...kept, ...(shares && { shares }), hash: hashImages(kept) };
}

/**
 * Whether there is data of this name: of a folder, by the names and the first bytes of its files.
 * @throws UserError as `loadDataset` does, if that can be said so quickly
 */
export async function checkDataset(spec: string): Promise<void> {
  const load = isNamed(spec) && loaderOf(spec);
  await (load ? load('test') : checkFolder(spec));
}

function checkSize(found: Images, wanted: DatasetOptions): void {
  const size = (of: { height: number; width: number; channels: number }) =>
    `${of.height} × ${of.width} × ${of.channels}`;
  if (size(found) !== size(wanted)) {
    throw new UserError(
      `The images of ${found.name} are ${size(found)} (height × width × channels), the recipe ` +
        `needs ${size(wanted)}: set data.height, data.width and data.channels, or give a folder ` +
        'of pictures, which are resized.',
    );
  }
}

/**
 * Selects the images of some classes; their order stays. Labels and class names do not change, so
 * label k keeps its meaning.
 *
 * @throws UserError if the data set has no labels or no such class, or if no image is left
 */
export function selectClasses(data: Images, classes: readonly (string | number)[]): Images {
  const { labels, classes: names } = data;
  if (labels === undefined || names === undefined) {
    throw new UserError(
      `${data.name} has no labels to choose the classes ${classes.join(', ')} by.`,
    );
  }
  const wanted = classes.map((name) => {
    const label = names.indexOf(String(name).normalize('NFC'));
    if (label < 0) {
      throw new UserError(`${data.name} has no class ${name}; it has ${names.join(', ')}.`);
    }
    return label;
  });
  const kept: number[] = [];
  labels.forEach((label, index) => {
    if (wanted.includes(label)) kept.push(index);
  });
  if (kept.length === 0) {
    throw new UserError(`${data.name} has no image of the classes ${classes.join(', ')}.`);
  }
  const { store } = data;
  const places = Uint32Array.from(kept, (index) => store?.places?.[index] ?? index);
  return {
    ...data,
    count: kept.length,
    ...(store ? { store: { ...store, places } } : { images: rowsAt(data, kept) }),
    labels: gather(labels, 1, kept),
  };
}
