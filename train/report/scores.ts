/** The tables of a report: the scores of each method, and texture metrics. */

import { signed } from '../../common/text.ts';
import type { Figures } from '../../eval/evaluate.ts';
import { PROTOCOLS } from '../../eval/protocols.ts';
import { TEXTURE } from '../../eval/texture.ts';
import { escapeHtml } from '../../pages/html.ts';
import { type ReportImage, type ReportScores, setMeans } from './report-content.ts';
import { INITIAL } from './run-comparison.ts';
import { FEATURE_SIDE, TEXTURE_SIDE } from './texture-measure.ts';

/** "+0.38" in green, "−0.04" in red. */
export function gain(value: number, decimals: number): string {
  if (Number.isNaN(value)) return '–'; // Both results are identical to the original.
  const text = signed(value, decimals).replace('Infinity', '∞');
  if (!/^[+−]/.test(text)) return text;
  return `<span class="${value > 0 ? 'good' : 'bad'}">${text}</span>`;
}

/** PSNR of identical pictures is infinite. */
function decimals(value: number | undefined, digits: number): string {
  if (value === Number.POSITIVE_INFINITY) return '∞';
  return value !== undefined && Number.isFinite(value) ? value.toFixed(digits) : '–';
}

type Role = 'bicubic' | 'initial' | 'model';

/** The methods that all pictures have scores of, with their names. */
function methodsOf(images: readonly ReportImage[], label: string): [Role, string][] {
  const all: [Role, string][] = [
    ['bicubic', 'bicubic'],
    ['initial', INITIAL],
    ['model', label],
  ];
  return all.filter(([role]) => images.every(image => image[role]));
}

/** Tables of all scores by both protocols, per picture and on average. `label`: name of the trained network. */
export function scoresSection(all: readonly ReportScores[], label: string): string {
  const sets = all.filter(({ images }) => images.length > 0);
  if (sets.length === 0) return '';
  const protocols = Object.entries(PROTOCOLS).map(([name, text]) => `<b>${name}</b>: ${escapeHtml(text)}.`);
  return (
    `<section><h2>Scores</h2>${sets.map(scores => scoreTable(scores, label)).join('')}` +
    `<p class="note">PSNR in dB. ${protocols.join(' ')} Scores of one protocol cannot be compared with those of the other.${identicalNote(sets)}</p>` +
    `${textureSection(sets, label)}</section>`
  );
}

/** A note on results that the mean PSNR leaves out. */
function identicalNote(sets: readonly ReportScores[]): string {
  const figures = sets.flatMap(({ images }) =>
    images.flatMap(({ bicubic, initial, model }) => [bicubic, initial, model]),
  );
  const some = figures.some(one => one && !(Number.isFinite(one.psnr) && Number.isFinite(one.psnr_paper)));
  return some ? ' ∞: identical to the original. The mean PSNR leaves such pictures out.' : '';
}

function scoreTable(scores: ReportScores, label: string): string {
  const methods = methodsOf(scores.images, label);
  const protocol = (name: string) =>
    `<th class="start" colspan="${2 * methods.length + 1}" scope="colgroup">protocol ${name}</th>`;
  const names = methods.map(
    ([, name], i) => `<th class="n${i === 0 ? ' start' : ''}" colspan="2" scope="colgroup">${escapeHtml(name)}</th>`,
  );
  const columns = methods.map(
    (_, i) => `<th class="n${i === 0 ? ' start' : ''}" scope="col">PSNR</th><th class="n" scope="col">SSIM</th>`,
  );
  const heads = `${names.join('')}<th class="n">gain</th>`;
  const units = `${columns.join('')}<th class="n" scope="col">PSNR</th>`;
  const rows = [...scores.images, setMeans(scores)].map((image, i) =>
    scoreRow(image, methods, i === scores.images.length ? 'mean' : ''),
  );
  return (
    `<div class="wide"><table class="scores"><caption>${escapeHtml(scores.data)}</caption>` +
    `<thead><tr><th></th>${protocol('matlab')}${protocol('paper')}</tr><tr><th></th>${heads}${heads}</tr>` +
    `<tr><th scope="col">picture</th>${units}${units}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  );
}

function scoreRow(image: ReportImage, methods: readonly [Role, string][], kind: string): string {
  const cells = (psnr: 'psnr' | 'psnr_paper', ssim: 'ssim' | 'ssim_paper') => [
    ...methods.map(
      ([role], i) =>
        `<td class="n${i === 0 ? ' start' : ''}">${decimals(image[role]?.[psnr], 2)}</td>` +
        `<td class="n">${decimals(image[role]?.[ssim], 4)}</td>`,
    ),
    `<td class="n">${gain(image.model[psnr] - image.bicubic[psnr], 2)}</td>`,
  ];
  return (
    `<tr${kind && ` class="${kind}"`}><th scope="row">${escapeHtml(image.name)}</th>` +
    `${cells('psnr', 'ssim').join('')}${cells('psnr_paper', 'ssim_paper').join('')}</tr>`
  );
}

/** The columns of the texture table, in order. */
const MEASURES: readonly [keyof Figures, string][] = [
  ['texture', 'fine texture'],
  ['vgg_distance', 'distance of VGG features'],
];

function textureSection(sets: readonly ReportScores[], label: string): string {
  const measures = MEASURES.filter(([key]) =>
    sets.every(({ images }) => images.every(({ model }) => model[key] !== undefined)),
  );
  if (measures.length === 0) return '';
  const tables = sets.map(scores => {
    const methods = methodsOf(scores.images, label);
    const heads = measures.map(
      ([, name]) => `<th class="start" colspan="${methods.length}" scope="colgroup">${name}</th>`,
    );
    const columns = measures.flatMap(() =>
      methods.map(([, name], i) => `<th class="n${i === 0 ? ' start' : ''}" scope="col">${escapeHtml(name)}</th>`),
    );
    const rows = [...scores.images, setMeans(scores)].map((image, row) => {
      const cells = measures.flatMap(([key]) =>
        methods.map(([role], i) => `<td class="n${i === 0 ? ' start' : ''}">${decimals(image[role]?.[key], 3)}</td>`),
      );
      const kind = row === scores.images.length ? ' class="mean"' : '';
      return `<tr${kind}><th scope="row">${escapeHtml(image.name)}</th>${cells.join('')}</tr>`;
    });
    return (
      `<div class="wide"><table class="scores"><caption>${escapeHtml(scores.data)}</caption>` +
      `<thead><tr><th></th>${heads.join('')}</tr><tr><th scope="col">picture</th>${columns.join('')}</tr></thead>` +
      `<tbody>${rows.join('')}</tbody></table></div>`
    );
  });
  const distance =
    measures.length > 1
      ? ' Distance of VGG features: squared difference of the features in the loss, over their mean square in the original; ' +
        `0 as the original. Measured in the middle ${FEATURE_SIDE}×${FEATURE_SIDE} pixels.`
      : '';
  return (
    `<h2>Texture</h2>${tables.join('')}<p class="note">Fine texture: ${escapeHtml(TEXTURE)}. ` +
    `Measured in the middle ${TEXTURE_SIDE}×${TEXTURE_SIDE} pixels of larger pictures.${distance}</p>`
  );
}
