/** Finds a program's tuning problems: the nodes whose operation has several variants. */

import { lowerNode, type Node } from '../engine/graph/value.ts';
import type { Lowered } from '../engine/program/lower.ts';
import type { AdapterTraits, Choices } from '../engine/text/kernel.ts';
import { families } from '../kernels/families.ts';

/** A problem of a family, from a real program. */
export interface TuningProblem {
  readonly family: string;
  /** The family's key for the problem. */
  readonly key: string;
  /** Names of the variants that can compute it, the rule's first. At least two. */
  readonly candidates: readonly string[];
  /** A node with this problem, which is run in isolation. */
  readonly node: Node;
  readonly baked: boolean;
}

/** Records requests and makes no choices. */
class Recorder implements Choices {
  readonly asked: { readonly family: string; readonly key: string; readonly problem: unknown }[] = [];

  find(family: string, key: string, problem: unknown): undefined {
    this.asked.push({ family, key, problem });
    return undefined;
  }
}

/** Each problem once, in the order of the program. */
export function problemsOf({ calls }: Lowered, traits: AdapterTraits): TuningProblem[] {
  const found = new Map<string, TuningProblem>();
  const seen = new Set<Node>();
  for (const { node, problem } of calls) {
    if (seen.has(node)) continue;
    seen.add(node);
    const recorder = new Recorder();
    lowerNode(node, problem, { ...traits, choices: recorder });
    for (const asked of recorder.asked) {
      const family = families.find(({ name }) => name === asked.family);
      if (!family || found.has(`${asked.family}|${asked.key}`)) continue;
      const byRule = family.choose(asked.problem, { ...traits, choices: new Recorder() }).name;
      const others = family.candidates(asked.problem, traits).map(({ name }) => name);
      const candidates = [byRule, ...others.filter(name => name !== byRule)];
      if (candidates.length < 2) continue;
      const { key } = asked;
      found.set(`${family.name}|${key}`, { family: family.name, key, candidates, node, baked: problem.baked });
    }
  }
  return [...found.values()];
}
