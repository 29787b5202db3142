/** A report of an opinion test as one HTML page without scripts. */

import { count, counted, signed } from '../../common/text.ts';
import { documentOf, escapeHtml } from '../../pages/html.ts';
import {
  type Analysis,
  type Comparison,
  LEAST_AGREEMENT,
  LEAST_RATINGS,
  type RaterScore,
  type SetScores,
  type Test,
} from '../analysis.ts';
import type { Interval } from '../statistics/intervals.ts';
import { EXACT_MOST } from '../statistics/wilcoxon.ts';
import type { Study } from '../study.ts';
import { distributionFigure, rankFigure } from './figures.ts';
import { MOS_STYLE } from './style.ts';

/** Forbids the page to load or run anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export interface ReportContent {
  readonly study: Study;
  readonly analysis: Analysis;
  /** Raters whose votes were left out. */
  readonly excluded: readonly number[];
  /** Version of Daybreak. */
  readonly daybreak: string;
}

/** The report as HTML. */
export function pageOf(content: ReportContent): string {
  const { study, analysis, daybreak } = content;
  return documentOf({
    title: 'Opinion test – Daybreak',
    policy: POLICY,
    style: MOS_STYLE,
    sections: [
      headerOf(content),
      ...analysis.sets.map(setSection),
      ratersSection(analysis),
      versionsSection(study),
      METHOD,
    ],
    footer: `Written by Daybreak ${daybreak} from study ${study.id}, prepared ${study.created.slice(0, 10)}.`,
  });
}

/** The sentence that every report of simulated raters begins with; undefined for real ones. */
export function simulationNote({ raters }: Pick<Analysis, 'raters'>): string | undefined {
  const simulated = raters.filter(rater => rater.simulated).length;
  if (simulated === 0) return undefined;
  const who =
    simulated === raters.length
      ? `All ${count(simulated)} raters`
      : `${count(simulated)} of ${count(raters.length)} raters`;
  return `${who} are simulated. These figures are not opinions of people.`;
}

function headerOf({ study, analysis, excluded }: ReportContent): string {
  const { raters, ratings, retest } = analysis;
  const complete = raters.filter(rater => rater.ratings === rater.presentations && rater.ratings > 0).length;
  const doubtful = raters.filter(({ doubts }) => doubts.length > 0).length;
  const note = simulationNote(analysis);
  const sets = study.sets.map(({ name, pictures }) => `${name} (${counted(pictures.length, 'picture')})`).join(', ');
  const left = excluded.length > 0 ? ` Without rater ${excluded.join(', ')}.` : '';
  const lead = `${counted(study.versions.length, 'version')} of the pictures of ${sets}, rated from 1 (bad) to 5 (excellent) by the protocol of Ledig et al.${left}`;
  const tiles = [
    tile('raters', count(raters.length), `${count(complete)} finished`),
    tile('ratings', count(ratings)),
    tile('same score again', percent(retest.same), `of ${counted(retest.pairs, 'repeat')}`),
    tile('perhaps random', count(doubtful), doubtful === 1 ? 'rater' : 'raters'),
  ];
  return (
    `<header><p class="kind">Opinion test</p><h1>Mean opinion scores</h1><p class="lead">${escapeHtml(lead)}</p>` +
    `${note ? `<p class="warning">${escapeHtml(note)}</p>` : ''}</header><dl class="tiles">${tiles.join('')}</dl>`
  );
}

const tile = (name: string, value: string, unit = '') =>
  `<div><dt>${name}</dt><dd>${value}${unit && ` <small>${unit}</small>`}</dd></div>`;

function setSection(set: SetScores): string {
  const name = escapeHtml(set.name);
  if (set.versions.length === 0)
    return `<section><h2>${name}</h2><p class="nothing">nobody has rated it yet</p></section>`;
  const ranks =
    set.ranked === 0
      ? '<p class="note">No rater has rated all versions of a picture yet, so there are no ranks.</p>'
      : `<figure class="figure"><figcaption><h3>Average rank</h3><span class="note">1 is best; ties share their ranks; over ${counted(set.ranked, 'ranking')} of one picture by one rater</span></figcaption>${rankFigure(set)}</figure>`;
  return (
    `<section><h2>${name}</h2>${scoreTable(set)}` +
    `<figure class="figure"><figcaption><h3>Distribution of the scores</h3><span class="note">percent of a version's ratings; red: the mean, with its interval over raters</span></figcaption>${distributionFigure(set)}</figure>` +
    `${ranks}${pairTable(set)}</section>`
  );
}

function scoreTable({ name, versions }: SetScores): string {
  const rows = versions.map(
    ({ label, mos, interval, byRaters, byPictures, deviation, ratings, rank }) =>
      `<tr><th scope="row">${escapeHtml(label)}</th><td class="n"><b>${mos.toFixed(2)}</b></td><td class="n">${between(interval)}</td>` +
      `<td class="n">${between(byRaters)}</td><td class="n">${between(byPictures)}</td><td class="n">${fixed(deviation)}</td>` +
      `<td class="n">${fixed(rank)}</td><td class="n">${count(ratings)}</td></tr>`,
  );
  const heads = ['MOS', '95 %, t', 'over raters', 'over pictures', 'std. dev.', 'rank', 'ratings'];
  return (
    `<div class="wide"><table><caption>Mean opinion scores on ${escapeHtml(name)}</caption><thead><tr><th scope="col">version</th>` +
    `${heads.map(head => `<th class="n" scope="col">${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  );
}

/** Row minus column: the difference of the means, and p by both treatments of zeros. */
function pairTable({ versions, comparisons }: SetScores): string {
  const labels = versions.map(({ label }) => label);
  const found = new Map(comparisons.map(one => [`${one.a}\n${one.b}`, one]));
  const rows = labels.slice(1).map((row, i) => {
    const cells = labels.slice(0, -1).map((column, j) => {
      const comparison = j <= i ? found.get(`${column}\n${row}`) : undefined;
      return comparison ? pairCell(comparison) : '<td class="none"></td>';
    });
    return `<tr><th scope="row">${escapeHtml(row)}</th>${cells.join('')}</tr>`;
  });
  if (rows.length === 0) return '';
  return (
    '<div class="wide"><table class="pairs"><caption>Differences: row minus column, and p of the paired two-sided Wilcoxon test</caption>' +
    `<thead><tr><th></th>${labels
      .slice(0, -1)
      .map(label => `<th scope="col">${escapeHtml(label)}</th>`)
      .join('')}</tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></div>` +
    '<p class="note">Below each difference: p with zeros dropped (Wilcoxon) / p with zeros ranked (Pratt), not adjusted for the number of ' +
    'pairs. Bold: both below 0.05. The adjusted values (Holm) are in the CSV and JSON files.</p>'
  );
}

function pairCell({ difference, wilcox, pratt }: Comparison): string {
  const significant = wilcox.p < 0.05 && pratt.p < 0.05;
  return `<td${significant ? ' class="significant"' : ''}>${signed(-difference, 2)}<small>${p(wilcox)} / ${p(pratt)}</small></td>`;
}

function p({ p: value }: Test): string {
  if (Number.isNaN(value)) return '–';
  return value < 0.001 ? '&lt;.001' : value.toFixed(3).replace(/^0/, '');
}

function ratersSection({ raters, retest }: Analysis): string {
  if (raters.length === 0) return '<section><h2>Raters</h2><p class="nothing">nobody has begun yet</p></section>';
  const heads = ['ratings', 'mean', 'std. dev.', 'agreement', 'same again', 'within 1'];
  const repeats =
    retest.pairs === 0
      ? 'No picture was rated twice yet.'
      : `Over all raters ${counted(retest.pairs, 'picture')} came a second time: the same score in ${percent(retest.same)}, within one in ` +
        `${percent(retest.withinOne)}, correlation ${fixed(retest.correlation)}, second minus first ${signed(retest.drift, 2)} (Wilcoxon's p ${fixed(retest.p, 3)}).`;
  return (
    `<section><h2>Raters</h2><div class="wide"><table><thead><tr><th scope="col">rater</th>` +
    `${heads.map(head => `<th class="n" scope="col">${head}</th>`).join('')}<th scope="col">remarks</th></tr></thead>` +
    `<tbody>${raters.map(raterRow).join('')}</tbody></table></div><p class="note">${repeats} Agreement: correlation of a rater's scores ` +
    `with the mean scores of the others. A rater with at least ${LEAST_RATINGS} ratings is pointed out below ${LEAST_AGREEMENT} or what chance could give, or if all scores are equal. ` +
    'Nobody is left out without being told: see --exclude.</p></section>'
  );
}

function raterRow({ number, simulated, ratings, presentations, retest, doubts, ...rater }: RaterScore): string {
  const remarks = [...doubts, ...(simulated ? ['simulated'] : [])].join('; ');
  const marked = doubts.length > 0 ? `<span class="bad">${escapeHtml(remarks)}</span>` : escapeHtml(remarks);
  return (
    `<tr><th scope="row">${number}</th><td class="n">${count(ratings)} of ${count(presentations)}</td><td class="n">${fixed(rater.mean)}</td>` +
    `<td class="n">${fixed(rater.deviation)}</td><td class="n">${fixed(rater.agreement)}</td><td class="n">${percent(retest.same)}</td>` +
    `<td class="n">${percent(retest.withinOne)}</td><td>${marked}</td></tr>`
  );
}

function versionsSection({ versions }: Study): string {
  const rows = versions.map(
    ({ label, source }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(source)}</td></tr>`,
  );
  return (
    '<section><h2>Versions</h2><div class="wide"><table><thead><tr><th scope="col">version</th><th scope="col">made by</th></tr></thead>' +
    `<tbody>${rows.join('')}</tbody></table></div></section>`
  );
}

const METHOD = `<section><h2>How to read this</h2>
<p class="note">A score is the mean over all raters and pictures of a set; a picture's hidden repeat counts only for the reliability. “95 %, t” is
the mean ± t·s/√n over all ratings, as if they were independent. They are not, because one rater gives many: the other two intervals are
percentile bootstraps that draw whole raters, or whole pictures, 10,000 times.</p>
<p class="note">The Wilcoxon test compares two versions of the same picture by the same rater. Most such pairs have equal scores, and the paper
does not say what became of them, so both usual treatments are given. With at most ${EXACT_MOST} pairs that differ, p is exact given the ties,
beyond it the normal approximation, corrected for ties, without correction for continuity. Like the paper's, the test takes pairs of one rater
as independent.</p></section>`;

const fixed = (value: number, digits = 2) => (Number.isNaN(value) ? '–' : value.toFixed(digits));
const percent = (part: number) => (Number.isNaN(part) ? '–' : `${Math.round(100 * part)} %`);
const between = ({ low, high }: Interval) => (Number.isNaN(low) ? '–' : `${low.toFixed(2)} – ${high.toFixed(2)}`);
