/**
 * Solves the assignment problem: assigns each row a different column so that the sum of the costs is
 * minimal. Shortest augmenting paths (Jonker & Volgenant 1987), in cubic time.
 *
 * @param costs a square matrix
 * @returns the column of each row
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const n = costs.length;
  const cost = (row: number, column: number) => costs[row]?.[column] as number;
  const ofRow = new Float64Array(n);
  const ofColumn = new Float64Array(n);
  const rowAt = new Array<number>(n).fill(-1);
  for (let start = 0; start < n; start++) {
    // The shortest path from the new row to each column, through assigned columns.
    const distance = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
    const before = new Array<number>(n).fill(-1);
    const done = new Array<boolean>(n).fill(false);
    let [row, column, reached] = [start, -1, 0];
    while (row >= 0) {
      let next = -1;
      for (let j = 0; j < n; j++) {
        if (done[j]) continue;
        const way = reached + cost(row, j) - (ofRow[row] as number) - (ofColumn[j] as number);
        if (way < (distance[j] as number)) {
          distance[j] = way;
          before[j] = column;
        }
        if (next < 0 || (distance[j] as number) < (distance[next] as number)) next = j;
      }
      column = next;
      reached = distance[column] as number;
      done[column] = true;
      row = rowAt[column] as number;
    }
    // The dual prices keep all reduced costs non-negative, and 0 along the path.
    ofRow[start] = (ofRow[start] as number) + reached;
    for (let j = 0; j < n; j++) {
      if (!done[j]) continue;
      const gained = reached - (distance[j] as number);
      ofColumn[j] = (ofColumn[j] as number) - gained;
      const owner = rowAt[j] as number;
      if (owner >= 0) ofRow[owner] = (ofRow[owner] as number) + gained;
    }
    while (column >= 0) {
      const previous = before[column] as number;
      rowAt[column] = previous < 0 ? start : (rowAt[previous] as number);
      column = previous;
    }
  }
  const columns = new Array<number>(n).fill(-1);
  rowAt.forEach((row, column) => {
    columns[row] = column;
  });
  return columns;
}
