/** Conformal p-values: how rare a score is among those of normal pictures. */
import type { NullDistribution, ScoreMeaning } from '../../format/model-info.js';

/** How suspicious a score is, larger for less real. */
export const suspicionOf = (meaning: ScoreMeaning, score: number): number =>
  meaning === 'energy' ? score : -score;

/**
 * The p-value of a suspicion: (1 + the number of normal ones that are at least as large) / (1 + the
 * number of all), so that a normal one has a p-value of at most p with a probability of at most p
 * (Vovk et al. 2005). Between two stored ones it lies on the line that joins them, which never makes it
 * smaller where each has been stored.
 *
 * @returns in [1 / (count + 1), 1]
 */
export function pValue({ count, suspicions, ranks }: NullDistribution, suspicion: number): number {
  let [low, high] = [0, suspicions.length]; // the first that is not larger
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((suspicions[middle] as number) <= suspicion) high = middle;
    else low = middle + 1;
  }
  const at = (k: number) => ((ranks[k] as number) + 1) / (count + 1);
  if (low === suspicions.length) return 1;
  if (suspicion === suspicions[low]) return at(low);
  if (low === 0) return 1 / (count + 1);
  const [below, above] = [suspicions[low] as number, suspicions[low - 1] as number];
  const share = (suspicion - below) / (above - below);
  return (1 - share) * at(low) + share * at(low - 1);
}

/** Of so many of the largest values each is stored; of the others, those that are 4 % further down. */
const [STORED, GROWTH] = [50, 1.04];

/**
 * The distribution of these suspicions, as it is stored in a file.
 *
 * @param values of normal pictures or fragments, one or more finite numbers in any order
 */
export function nullOf(values: Float32Array | Float64Array): NullDistribution {
  const sorted = Float64Array.from(values).sort().reverse();
  const count = sorted.length;
  const kept = new Map<number, number>();
  const keep = (rank: number) => {
    const value = sorted[rank - 1] as number;
    let last = rank;
    while (sorted[last] === value) last++;
    kept.set(value, last);
    return last;
  };
  for (let rank = 1; rank <= count; ) {
    const last = keep(rank);
    rank = last < STORED ? last + 1 : Math.max(last + 1, Math.floor(last * GROWTH));
  }
  keep(count);
  return { count, suspicions: [...kept.keys()], ranks: [...kept.values()] };
}
