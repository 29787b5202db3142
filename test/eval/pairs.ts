/** All pictures of a data set at once, for sets that a test made. */
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import type { Pair } from '../../eval/evaluate.ts';

export async function pairsOf(folder: string): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for await (const pair of readPairs(await openDataSet(folder))) pairs.push(pair);
  return pairs;
}
