/** The default source of initial weights. */
import { Philox } from './philox.ts';

/** Random stream of the default source. */
const STREAM = 0;

let source = new Philox(0, STREAM);

/** The source of initial weights of layers that are given none. */
export const defaultRandom = (): Philox => source;

/** Starts the default source again. Its seed is 0 until then, so a program's weights are the same in every run. */
export function seedInitialWeights(seed: number): void {
  source = new Philox(seed, STREAM);
}
