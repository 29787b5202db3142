import { expect, test } from 'vitest';
import { analyse } from '../../mos/analysis.ts';
import { pageOf, simulationNote } from '../../mos/report/page.ts';
import { comparisonsCsv, csvOf, ratingsCsv, scoresCsv } from '../../mos/report/tables.ts';
import { simulatedScores } from '../../mos/simulate.ts';
import { signedRank } from '../../mos/statistics/wilcoxon.ts';
import { itemsOf, presentationOrder, type Study } from '../../mos/study.ts';

/** A study of `count` pictures in the given versions. */
function studyOf(count: number, labels: readonly string[], repeats = 0): Study {
  let next = 0;
  const id = () => (next++).toString(16).padStart(32, '0');
  const pictures = Array.from({ length: count }, (_, i) => ({
    name: `picture ${i}`,
    width: 8,
    height: 8,
    shown: Object.fromEntries(labels.map(label => [label, id()])),
  }));
  const versions = labels.map(label => ({ label, source: label }));
  const shared = { version: 1 as const, id: '0'.repeat(16), created: '2030-01-02T00:00:00Z', seed: 3, repeats };
  return { ...shared, versions, sets: [{ name: 'Set14', pictures }], calibration: [], files: {} };
}

/** Votes of raters who give `score` to each version of each picture. */
function votesOf(study: Study, raters: number, score: (rater: number, version: string, picture: number) => number) {
  const votes = Array.from({ length: raters }, (_, rater) =>
    itemsOf(study).map(({ id, version, picture }, place) => ({
      rater: rater + 1,
      place,
      picture: id,
      score: score(rater, version, Number(picture.split(' ')[1])),
      repeat: false,
      at: '',
    })),
  );
  const people = votes.map((all, i) => ({ number: i + 1, simulated: false, joined: '', presentations: all.length }));
  return { raters: people, votes: votes.flat() };
}

const digits = (text: string) => [...text].map(Number);
const [A, B] = [digits('34253342435432434534234354'), digits('33243243334422334433233345')];

test('scores, ranks and tests of the worked example', () => {
  const study = studyOf(1, ['a', 'b']);
  const { sets, ratings } = analyse(
    study,
    votesOf(study, 26, (rater, version) => (version === 'a' ? A : B)[rater]),
  );
  const [{ versions, comparisons, ranked }] = sets;
  expect([ratings, ranked]).toEqual([52, 26]);
  expect(versions[0]).toMatchObject({ label: 'a', ratings: 26, mos: 3.5, counts: [0, 4, 9, 9, 4] });
  expect(versions[0].interval.low).toBeCloseTo(3.1168, 4);
  expect(versions[0].byRaters.low).toBeCloseTo(3.14, 1);
  expect(versions[0].byPictures.low).toBeNaN();
  const better = A.filter((score, i) => score > B[i]).length;
  const worse = A.filter((score, i) => score < B[i]).length;
  expect(versions[0].rank).toBeCloseTo((better + 2 * worse + 1.5 * (26 - better - worse)) / 26, 12);
  expect(versions[0].rank + versions[1].rank).toBeCloseTo(3, 12);
  const [{ pairs, difference, wilcox, pratt }] = comparisons;
  expect([pairs, wilcox.zeros, wilcox.method]).toEqual([26, 13, 'exact']);
  expect(difference).toBeCloseTo(versions[0].mos - versions[1].mos, 12);
  expect(wilcox.p).toBeCloseTo(0.0224609375, 10);
  expect(pratt.p).toBe(
    signedRank(
      A.map((score, i) => score - B[i]),
      { zeros: 'pratt' },
    ).p,
  );
});

test('ties share their ranks, over the versions of one picture by one rater', () => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
  const study = studyOf(1, labels);
  const scores = [5, 3, 3, 1, 4, 3];
  const { sets } = analyse(
    study,
    votesOf(study, 1, (_, version) => scores[labels.indexOf(version)]),
  );
  expect(sets[0].versions.map(({ rank }) => rank)).toEqual([1, 4, 4, 6, 2, 4]);
});

test('what is unfinished counts as far as it goes', () => {
  const study = studyOf(2, ['a', 'b']);
  const { raters, votes } = votesOf(study, 3, () => 4);
  const some = votes.filter(({ rater, place }) => rater < 3 && (rater === 1 || place < 1));
  const { sets, raters: judged, retest } = analyse(study, { raters, votes: some });
  expect(sets[0].versions.map(({ ratings }) => ratings)).toEqual([3, 2]);
  expect([sets[0].ranked, sets[0].comparisons[0].pairs]).toEqual([2, 2]);
  expect(judged.map(({ ratings }) => ratings)).toEqual([4, 1, 0]);
  expect(retest).toMatchObject({ pairs: 0, same: Number.NaN });
  expect(analyse(study, { raters: [], votes: [] }).sets[0].versions).toEqual([]);
});

/** Simulated raters of a study of 40 pictures; the last answers at random, the one before always 3. */
function simulated() {
  const study = studyOf(40, ['nearest', 'bicubic', 'SRResNet-MSE', 'SRGAN-VGG54', 'original'], 20);
  const raters = Array.from({ length: 10 }, (_, i) => ({
    number: i + 1,
    simulated: true,
    joined: '',
    presentations: 220,
  }));
  const votes = raters.flatMap(({ number: rater }) => {
    const order = presentationOrder(study, rater);
    const scores = simulatedScores(study, rater, order, 5, rater === 10 ? 'random' : 'careful');
    const seen = new Set<string>();
    return order.map((picture, place) => {
      const repeat = seen.has(picture);
      seen.add(picture);
      return { rater, place, picture, score: rater === 9 ? 3 : scores[place], repeat, at: '' };
    });
  });
  return { study, votes: { raters, votes } };
}

test('raters at random and of one score are pointed out, the others are not', () => {
  const { study, votes } = simulated();
  const { raters, retest, sets } = analyse(study, votes);
  expect(raters.map(({ doubts }) => doubts.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  expect(raters[8].doubts[0]).toBe('the same score for every picture');
  expect(raters[9].doubts[0]).toMatch(/^scores hardly follow those of the others \(correlation -?0\.[0-2]\d\)$/);
  expect(raters[0].retest.withinOne).toBeGreaterThan(0.8);
  expect(retest.pairs).toBe(200);
  // Repeats are not counted as ratings of a version.
  expect(sets[0].versions.map(({ ratings }) => ratings)).toEqual(Array(5).fill(400));
  const mos = sets[0].versions.map(one => one.mos);
  expect(mos).toEqual([...mos].sort((a, b) => a - b));
  expect(analyse(study, votes)).toEqual(analyse(study, votes));
});

test('simulated raters stay within 1 to 5, and repeat themselves', () => {
  const { study } = simulated();
  const order = presentationOrder(study, 1);
  const scores = simulatedScores(study, 1, order, 5, 'careful');
  expect(scores.every(score => [1, 2, 3, 4, 5].includes(score))).toBe(true);
  expect(simulatedScores(study, 1, order, 5, 'careful')).toEqual(scores);
  expect(simulatedScores(study, 2, order, 5, 'careful')).not.toEqual(scores);
});

test('the page, the CSV and the JSON say that raters are simulated', () => {
  const { study, votes } = simulated();
  const analysis = analyse(study, votes);
  const html = pageOf({ study, analysis, excluded: [3], daybreak: '1' });
  expect(html).toContain('All 10 raters are simulated. These figures are not opinions of people.');
  expect(html).toContain('Without rater 3.');
  expect(html).not.toMatch(/<script|NaN|undefined|Infinity/);
  expect(scoresCsv(analysis).split('\n')[1]).toMatch(/^Set14,nearest,400,1\..*,true$/);
  expect(comparisonsCsv(analysis).trim().split('\n').length).toBe(11);
  const ratings = ratingsCsv(study, votes).trim().split('\n');
  expect(ratings.length).toBe(2201);
  expect(ratings[1]).toMatch(/^1,1,Set14,picture \d+,[\w-]+,[1-5],false,,true$/);
  const real = votes.raters.map(rater => ({ ...rater, simulated: rater.number === 1 }));
  expect(simulationNote(analyse(study, { ...votes, raters: real }))).toMatch(/^1 of 10 raters are simulated/);
});

test('a report of nobody can be read, and names are escaped', () => {
  const study = studyOf(1, ['<b>"a"', 'b']);
  const empty = pageOf({ study, analysis: analyse(study, { raters: [], votes: [] }), excluded: [], daybreak: '1' });
  expect(empty).toContain('nobody has rated it yet');
  const full = pageOf({
    study,
    analysis: analyse(
      study,
      votesOf(study, 1, () => 5),
    ),
    excluded: [],
    daybreak: '1',
  });
  for (const html of [empty, full]) expect(html).not.toMatch(/<b>"a"|NaN|undefined/);
  expect(csvOf(['x'], [['a,"b"'], ['=1+1'], [Number.NaN], [-1]])).toBe('x\n"a,""b"""\n\'=1+1\n\n-1\n');
});
