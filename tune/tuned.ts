/** The content of a tuned file: measured choices for an adapter. */
import * as z from 'zod';
import type { AdapterDescription } from '../engine/device/adapter.ts';
import { type Choice, FixedChoices } from '../engine/text/choices.ts';
import type { CandidateTime, Measure } from './measure.ts';
import type { TuningProblem } from './problems.ts';

const Time = z.object({
  variant: z.string(),
  ms: z.number().nonnegative(),
  wallMs: z.number().nonnegative(),
  runs: z.number().int().nonnegative(),
  failure: z.string().optional(),
});

const Problem = z.object({
  family: z.string(),
  problem: z.string(),
  /** The chosen variant. */
  variant: z.string(),
  /** The rule's variant, which would run without tuning. */
  rule: z.string(),
  date: z.string(),
  times: z.array(Time),
});

export const TunedFile = z.object({
  format: z.literal(1),
  /** The adapter's description of itself, including the driver's version. */
  adapter: z.object({
    vendor: z.string(),
    architecture: z.string(),
    device: z.string(),
    description: z.string(),
  }),
  date: z.string(),
  /** The clock that decides. */
  measure: z.enum(['cpu', 'gpu', 'wall']),
  problems: z.array(Problem),
});

export type TunedFile = z.infer<typeof TunedFile>;
export type TunedProblem = z.infer<typeof Problem>;

/** The rule's choice stays unless another variant's time is below this fraction of it: smaller differences are noise. */
const MARGIN = 0.97;

/** Chooses among a problem's variants (the rule's first); undefined if none of them runs. */
export function verdict(
  { family, key }: TuningProblem,
  times: readonly CandidateTime[],
  date: string,
): TunedProblem | undefined {
  const measured = times.filter(({ runs }) => runs > 0);
  const [byRule] = times;
  if (measured.length === 0) return undefined;
  const fastest = measured.reduce((best, time) => (time.ms < best.ms ? time : best));
  // If the rule's variant was dropped, it was much slower.
  const stays = byRule.runs > 0 && fastest.ms > MARGIN * byRule.ms;
  return {
    family,
    problem: key,
    variant: (stays ? byRule : fastest).variant,
    rule: byRule.variant,
    date,
    times: times.map(time => ({ ...time, ms: rounded(time.ms), wallMs: rounded(time.wallMs) })),
  };
}

const rounded = (ms: number): number => Number(ms.toPrecision(4));

/** Merges new measurements into an older file of the same adapter, whose other problems are kept. */
export function merged(
  old: TunedFile | undefined,
  adapter: AdapterDescription,
  measure: Measure,
  date: string,
  problems: readonly TunedProblem[],
): TunedFile {
  const idOf = ({ family, problem }: TunedProblem) => `${family}|${problem}`;
  const known = old && old.measure === measure && sameAdapter(old.adapter, adapter) ? old.problems : [];
  const all = new Map([...known, ...problems].map(problem => [idOf(problem), problem]));
  const sorted = [...all.values()].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const { vendor, architecture, device, description } = adapter;
  return { format: 1, adapter: { vendor, architecture, device, description }, date, measure, problems: sorted };
}

export const sameAdapter = (a: AdapterDescription, b: AdapterDescription): boolean =>
  a.vendor === b.vendor &&
  a.architecture === b.architecture &&
  a.device === b.device &&
  a.description === b.description;

/** The choices that a tuned file makes. */
export const choicesOf = ({ problems }: TunedFile): FixedChoices =>
  new FixedChoices(problems.map(({ family, problem, variant }): Choice => ({ family, problem, variant })));
