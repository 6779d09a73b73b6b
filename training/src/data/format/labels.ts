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
