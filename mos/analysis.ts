/** Computes what a report says from the votes of a study. */

import { clusterInterval, correlation, deviation, type Interval, mean, meanInterval } from './statistics/intervals.ts';
import { scoreRanks } from './statistics/ranks.ts';
import { holm, type SignedRank, signedRank } from './statistics/wilcoxon.ts';
import { itemsOf, type Study } from './study.ts';

/** Mean opinion score of a version on a set. */
export interface VersionScore {
  readonly label: string;
  readonly ratings: number;
  readonly mos: number;
  readonly deviation: number;
  /** Ratings of 1, 2, 3, 4 and 5. */
  readonly counts: readonly [number, number, number, number, number];
  /** Student's t over all ratings, as if they were independent. */
  readonly interval: Interval;
  /** Bootstrap over raters: ratings of one rater are not independent. */
  readonly byRaters: Interval;
  /** Bootstrap over pictures. */
  readonly byPictures: Interval;
  /** Mean rank among the versions of a picture by one rater, 1 is best; NaN if no rater rated all versions of any. */
  readonly rank: number;
}

/** One treatment of zeros. */
export interface Test extends SignedRank {
  /** p adjusted for all pairs of the set (Holm). */
  readonly adjusted: number;
}

/** Two versions on a set. */
export interface Comparison {
  readonly a: string;
  readonly b: string;
  /** Pictures that one rater rated in both versions, over all raters. */
  readonly pairs: number;
  /** Mean score of a minus that of b over these pairs. */
  readonly difference: number;
  readonly wilcox: Test;
  readonly pratt: Test;
}

export interface SetScores {
  readonly name: string;
  readonly pictures: number;
  /** In the study's order. */
  readonly versions: readonly VersionScore[];
  /** Pictures that one rater rated in all versions: what ranks are averaged over. */
  readonly ranked: number;
  readonly comparisons: readonly Comparison[];
}

export interface RaterScore {
  readonly number: number;
  readonly simulated: boolean;
  readonly ratings: number;
  /** Presentations in all, repeats included. */
  readonly presentations: number;
  readonly mean: number;
  readonly deviation: number;
  /** Correlation with the mean scores of the other raters. NaN if there are none, or all scores are equal. */
  readonly agreement: number;
  readonly retest: Retest;
  /** Why the rater may have answered at random, or empty. */
  readonly doubts: readonly string[];
}

/** Pictures that a rater rated twice without knowing. */
export interface Retest {
  readonly pairs: number;
  /** Part of the pairs with the same score. */
  readonly same: number;
  /** Part of the pairs that differ by at most 1. */
  readonly withinOne: number;
  readonly correlation: number;
  /** Second score minus the first, on average. */
  readonly drift: number;
  /** Of Wilcoxon's test of first against second scores. */
  readonly p: number;
}

export interface Analysis {
  readonly sets: readonly SetScores[];
  readonly raters: readonly RaterScore[];
  readonly ratings: number;
  readonly retest: Retest;
}

/** What is analysed: see `readVotes`. */
export interface AnalysedVotes {
  readonly raters: readonly { readonly number: number; readonly simulated: boolean; readonly presentations: number }[];
  readonly votes: readonly {
    readonly rater: number;
    readonly picture: string;
    readonly score: number;
    readonly repeat: boolean;
  }[];
}

/** Below this correlation with the others' means a rater is pointed out (ours) … */
export const LEAST_AGREEMENT = 0.25;
/** … and with few ratings also below what chance exceeds once in a hundred times: this many standard deviations of 1/√n. */
const CHANCE = 2.33;
/** Raters with fewer ratings are not judged (ours). */
export const LEAST_RATINGS = 20;

/** A first rating. */
interface Rating {
  readonly rater: number;
  readonly set: string;
  readonly picture: string;
  readonly version: string;
  readonly item: string;
  readonly score: number;
}

/**
 * Analyses votes. Scores come from first presentations; repeats only count for the reliability.
 * @param seed of the bootstraps.
 */
export function analyse(study: Study, { raters, votes }: AnalysedVotes, seed = 0): Analysis {
  const items = new Map(itemsOf(study).map(item => [item.id, item]));
  const ratings = votes.flatMap(({ rater, picture: id, score, repeat }): Rating[] => {
    const item = items.get(id);
    if (!item || repeat) return [];
    const { set, picture, version } = item;
    return [{ rater, set, picture, version, item: id, score }];
  });
  return {
    sets: study.sets.map(({ name, pictures }) =>
      scoresOf(
        name,
        pictures.length,
        study.versions.map(({ label }) => label),
        ratings.filter(({ set }) => set === name),
        seed,
      ),
    ),
    raters: ratersOf(raters, votes, ratings),
    ratings: votes.length,
    retest: retestOf(votes),
  };
}

function scoresOf(
  name: string,
  pictures: number,
  labels: readonly string[],
  ratings: readonly Rating[],
  seed: number,
): SetScores {
  const byVersion = grouped(ratings, ({ version }) => version);
  const present = labels.filter(label => byVersion.has(label));
  const { ranks, ranked } = averageRanksOf(ratings, present);
  const versions = present.map((label, i) => versionScore(label, byVersion.get(label) ?? [], ranks[i], seed));
  return { name, pictures, versions, ranked, comparisons: comparisonsOf(present, byVersion) };
}

function versionScore(label: string, ratings: readonly Rating[], rank: number, seed: number): VersionScore {
  const scores = ratings.map(({ score }) => score);
  const clusters = (key: (rating: Rating) => string) =>
    [...grouped(ratings, key).values()].map(group => ({
      sum: group.reduce((sum, { score }) => sum + score, 0),
      count: group.length,
    }));
  const counted = (wanted: number) => scores.filter(score => score === wanted).length;
  return {
    label,
    ratings: scores.length,
    mos: mean(scores),
    deviation: deviation(scores),
    counts: [counted(1), counted(2), counted(3), counted(4), counted(5)],
    interval: meanInterval(scores),
    byRaters: clusterInterval(
      clusters(({ rater }) => String(rater)),
      seed,
    ),
    byPictures: clusterInterval(
      clusters(({ picture }) => picture),
      seed,
    ),
    rank,
  };
}

/** Ranks of the versions as in figure 10: one ranking for each picture and rater, ties averaged, then the mean of all. */
function averageRanksOf(ratings: readonly Rating[], labels: readonly string[]) {
  const sums = labels.map(() => 0);
  let ranked = 0;
  for (const group of grouped(ratings, ({ rater, picture }) => `${rater} ${picture}`).values()) {
    const scores = new Map(group.map(({ version, score }) => [version, score]));
    const all = labels.flatMap(label => scores.get(label) ?? []);
    if (all.length < labels.length) continue;
    ranked++;
    scoreRanks(all).forEach((rank, i) => {
      sums[i] += rank;
    });
  }
  return { ranks: sums.map(sum => (ranked === 0 ? Number.NaN : sum / ranked)), ranked };
}

function comparisonsOf(labels: readonly string[], byVersion: ReadonlyMap<string, readonly Rating[]>): Comparison[] {
  const scores = labels.map(
    label => new Map((byVersion.get(label) ?? []).map(({ rater, picture, score }) => [`${rater} ${picture}`, score])),
  );
  const compared = labels.flatMap((b, j) =>
    labels.slice(0, j).map((a, i) => {
      const differences = [...scores[i]].flatMap(([key, score]) => {
        const other = scores[j].get(key);
        return other === undefined ? [] : [score - other];
      });
      return { a, b, differences };
    }),
  );
  const tests = (['wilcox', 'pratt'] as const).map(zeros => {
    const results = compared.map(({ differences }) => signedRank(differences, { zeros }));
    const adjusted = holm(results.map(({ p }) => p));
    return results.map((result, i): Test => ({ ...result, adjusted: adjusted[i] }));
  });
  return compared.map(({ a, b, differences }, i) => ({
    a,
    b,
    pairs: differences.length,
    difference: mean(differences),
    wilcox: tests[0][i],
    pratt: tests[1][i],
  }));
}

function ratersOf(
  raters: AnalysedVotes['raters'],
  votes: AnalysedVotes['votes'],
  ratings: readonly Rating[],
): RaterScore[] {
  const totals = new Map<string, { sum: number; count: number }>();
  for (const { item, score } of ratings) {
    const total = totals.get(item) ?? { sum: 0, count: 0 };
    totals.set(item, { sum: total.sum + score, count: total.count + 1 });
  }
  const own = grouped(ratings, ({ rater }) => String(rater));
  const all = grouped(votes, ({ rater }) => String(rater));
  return raters.map(({ number, simulated, presentations }) => {
    const mine = own.get(String(number)) ?? [];
    const scores = mine.map(({ score }) => score);
    const compared = mine.flatMap(({ item, score }) => {
      const total = totals.get(item);
      return total && total.count > 1 ? [{ score, others: (total.sum - score) / (total.count - 1) }] : [];
    });
    const agreement = correlation(
      compared.map(({ score }) => score),
      compared.map(({ others }) => others),
    );
    return {
      number,
      simulated,
      ratings: all.get(String(number))?.length ?? 0,
      presentations,
      mean: mean(scores),
      deviation: deviation(scores),
      agreement,
      retest: retestOf(all.get(String(number)) ?? []),
      doubts: scores.length < LEAST_RATINGS ? [] : doubtsOf(scores, compared.length, agreement),
    };
  });
}

function doubtsOf(scores: readonly number[], compared: number, agreement: number): string[] {
  if (new Set(scores).size === 1) return ['the same score for every picture'];
  if (compared < LEAST_RATINGS || !(agreement < Math.max(LEAST_AGREEMENT, CHANCE / Math.sqrt(compared)))) return [];
  return [`scores hardly follow those of the others (correlation ${agreement.toFixed(2)})`];
}

/** Compares first and second ratings of the same picture by the same rater. */
function retestOf(votes: AnalysedVotes['votes']): Retest {
  const first = new Map(
    votes.filter(({ repeat }) => !repeat).map(vote => [`${vote.rater} ${vote.picture}`, vote.score]),
  );
  const pairs = votes
    .filter(({ repeat }) => repeat)
    .flatMap(({ rater, picture, score }) => {
      const before = first.get(`${rater} ${picture}`);
      return before === undefined ? [] : [[before, score] as const];
    });
  const differences = pairs.map(([before, after]) => after - before);
  const part = (most: number) => differences.filter(d => Math.abs(d) <= most).length / pairs.length;
  return {
    pairs: pairs.length,
    same: part(0),
    withinOne: part(1),
    correlation: correlation(
      pairs.map(([before]) => before),
      pairs.map(([, after]) => after),
    ),
    drift: mean(differences),
    p: signedRank(differences).p,
  };
}

function grouped<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = key(value);
    const group = groups.get(name);
    if (group) group.push(value);
    else groups.set(name, [value]);
  }
  return groups;
}
