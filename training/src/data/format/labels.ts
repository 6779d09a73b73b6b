import { UserError } from '@gpn/runtime';

/**
 * Checks that there is one label for each image and that all labels are below `classes`.
 *
 * @throws UserError naming the label file
 */
export function checkLabels(
  labels: Uint8Array,
  images: number,
  classes: number,
  file: string,
): void {
  if (labels.length !== images) {
    throw new UserError(
      `${file} has ${labels.length} labels for ${images} images; the files do not belong together.`,
    );
  }
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new UserError(
      `${file}: label ${wrong} is ${labels[wrong]}, expected 0 to ${classes - 1}.`,
    );
  }
}

/** The share of each class, 0 to 1. @throws RangeError if a label is not below `classes` */
export function classHistogram(labels: ArrayLike<number>, classes: number): Float64Array {
  const shares = new Float64Array(classes);
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] as number;
    if (!(label < classes)) throw new RangeError(`label ${label} of ${classes} classes`);
    shares[label] = (shares[label] as number) + 1 / labels.length;
  }
  return shares;
}
