/** Tables of plain text, without borders, that read as well in a log as on a terminal. */
import Table from 'cli-table3';

/** Every line of a border, and what is drawn of it: nothing. */
const NO_BORDERS = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    [side, `${side}-left`, `${side}-mid`, `${side}-right`].map((part) => [part, '']),
  ),
);

/**
 * Rows with their columns aligned, two spaces between them, each row on a line.
 *
 * @param alignments of the columns; those that are not named are aligned to the left
 */
export function table(
  rows: readonly (readonly string[])[],
  alignments: readonly ('left' | 'right')[] = [],
): string {
  const drawn = new Table({
    chars: { ...NO_BORDERS, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: [...alignments],
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
