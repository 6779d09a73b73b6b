/** The data sets that have names; any other name is a folder. */

/** The names, in the order in which they are listed. */
export const NAMES = ['mnist', 'fashion', 'stacked-mnist'] as const;

/** Whether data of this name is a data set whose images are ready, and not a folder. */
export const isNamed = (spec: string): boolean => (NAMES as readonly string[]).includes(spec);
