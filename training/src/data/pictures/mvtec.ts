/**
 * The layout of MVTec AD (Bergmann et al. 2019), which other sets for anomaly detection share: normal
 * pictures in `train/good`; pictures to be tested in `test/good` and `test/DEFECT`; and what is wrong
 * with them in `ground_truth/DEFECT/NAME_mask.png`.
 */
import { join } from 'node:path';
import { filesBelow, type Tree } from './files.js';

/** Where the pictures are, relative to the folder. */
export const NORMAL = 'train/good';
const TESTED = 'test';
const MASKS = 'ground_truth';

/** Whether a folder is laid out like those of MVTec AD. */
export const isInspection = ({ folders }: Pick<Tree, 'folders'>): boolean =>
  [NORMAL, TESTED, MASKS].every((name) => folders.includes(name));

/** The folders of pictures to be tested and of masks, in a folder of this layout; undefined for others. */
export async function inspectionIn(
  folder: string,
): Promise<{ readonly tested: string; readonly masks: string } | undefined> {
  if (!isInspection(await filesBelow(folder))) return undefined;
  return { tested: join(folder, TESTED), masks: join(folder, MASKS) };
}
