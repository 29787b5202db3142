/** Checks that all peers do the same work, by comparing their results for small problems with Daybreak's. */
import { PeerError, type PeerProcess } from './peer-process.ts';
import { checkedSchema, decode, encode } from './protocol.ts';
import { type Arrays, inputsOf, type Pass, type Work, workName } from './works.ts';

interface Problem {
  readonly work: Work;
  readonly pass: Pass;
  readonly steps: number;
  /** Largest difference, relative to the largest number of the array. */
  readonly tolerance: number;
}

const CONVOLUTION: Work = { kind: 'convolution', batch: 2, inputs: 16, height: 10, width: 12, outputs: 24 };

/** Its loss falls by 3 % in three updates, so a wrong gradient or moment would be visible. */
export const TRAINING: Work = { kind: 'training', blocks: 1, channels: 8, batch: 2, crop: 32, learningRate: 1e-3 };

/** SGD without a rate so small that a wrong gradient would not be visible. */
export const CLASSIFYING: Work = { kind: 'classifying', width: 4, batch: 6, classes: 5, learningRate: 0.02 };

const PROBLEMS: readonly Problem[] = [
  { work: CONVOLUTION, pass: 'forward', steps: 1, tolerance: 1e-5 },
  { work: CONVOLUTION, pass: 'forward+grads', steps: 1, tolerance: 1e-5 },
  { work: TRAINING, pass: 'step', steps: 3, tolerance: 1e-5 },
  { work: CLASSIFYING, pass: 'step', steps: 3, tolerance: 1e-4 },
];

/** The largest difference of two arrays, relative to the largest number of the second. Infinite if the shapes differ. */
export function difference(a: Arrays[string], b: Arrays[string]): number {
  if (a.shape.join() !== b.shape.join()) return Number.POSITIVE_INFINITY;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < b.data.length; i++) {
    const apart = Math.abs(a.data[i] - b.data[i]);
    if (Number.isNaN(apart)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, apart);
    largest = Math.max(largest, Math.abs(b.data[i]));
  }
  return worst === 0 ? 0 : worst / largest;
}

/** A peer's results for the problems that it supports, by their names. */
export type Results = ReadonlyMap<string, Arrays>;

const nameOf = ({ work, pass }: Problem): string => `${pass} of ${workName(work)}`;

/** Runs the problems on a peer. Throws PeerError if it fails. */
export async function solve(peer: PeerProcess): Promise<Results> {
  const results = new Map<string, Arrays>();
  for (const problem of PROBLEMS) {
    const { work, pass, steps } = problem;
    if (!peer.greeting.passes.includes(pass)) continue;
    const arrays = encode(inputsOf(work));
    const answer = await peer.ask({ do: 'check', work, pass, arrays, steps }, checkedSchema);
    results.set(nameOf(problem), decode(answer.arrays));
  }
  return results;
}

/**
 * The largest difference between a peer's results and Daybreak's. Throws PeerError if one exceeds `leeway` times the error
 * that float32 explains, because the peer would then be doing different work.
 */
export function compareResults(name: string, results: Results, expected: Results, leeway = 1): number {
  let worst = 0;
  for (const problem of PROBLEMS) {
    const what = nameOf(problem);
    for (const [array, found] of Object.entries(results.get(what) ?? {})) {
      const apart = difference(found, expected.get(what)![array]);
      if (apart > leeway * problem.tolerance)
        throw new PeerError(name, `${array} of ${what} differs by ${apart.toExponential(1)} from Daybreak's`);
      worst = Math.max(worst, apart);
    }
  }
  return worst;
}
