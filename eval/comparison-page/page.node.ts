/** Writes the comparison of a set as one HTML page, on which any two versions of a picture lie on each other. */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { daybreakVersion } from '../../common/machine.node.ts';
import { counted } from '../../common/text.ts';
import { FileError } from '../../files/file-error.ts';
import { checkFile } from '../../files/output.node.ts';
import { GrowingFile } from '../../files/write.node.ts';
import { encodePng } from '../../image/codec.node.ts';
import type { Picture } from '../../image/picture.ts';
import { escapeHtml, frameOf, moduleText, scriptJson } from '../../pages/html.ts';
import { type ComparisonRow, factorOf } from '../comparison.ts';
import type { Region } from '../comparison-region.ts';
import { decimals, meanOfFinite, PROTOCOLS, type Protocol, type Quality, quality } from '../protocols.ts';
import { COMPARISON_STYLE } from './style.ts';

export interface ComparisonPageOptions {
  /** The heading, such as the set's name. */
  readonly title: string;
  /** The methods' names, in the order of the results. */
  readonly labels: readonly string[];
  /** Protocol of the scores. Default: matlab. */
  readonly protocol?: Protocol | undefined;
  /** What the page shows first of the first picture, in pixels of the original. Default: all of it. */
  readonly crop?: Region | undefined;
  /** Replace an existing file. Default: false. */
  readonly overwrite?: boolean | undefined;
}

/**
 * A page that is written picture by picture, so that only one has to be in memory. It holds LR, results and originals
 * losslessly as PNG, loads nothing, and is complete or absent (see `GrowingFile`).
 */
export class ComparisonPage implements AsyncDisposable {
  readonly #file: GrowingFile;
  readonly #options: ComparisonPageOptions;
  readonly #tail: string;
  readonly #scored: Scored[] = [];

  private constructor(file: GrowingFile, options: ComparisonPageOptions, tail: string) {
    this.#file = file;
    this.#options = options;
    this.#tail = tail;
  }

  /** @throws FileError if the file exists and is not to be replaced, or cannot be written. */
  static async create(path: string, options: ComparisonPageOptions): Promise<ComparisonPage> {
    await checkFile(path);
    const existing = await stat(path).catch(() => undefined);
    if (existing && !existing.isFile()) throw new FileError(path, 'cannot be written: not a file');
    if (existing && !options.overwrite) throw new FileError(path, 'already exists: use --overwrite to replace it');
    const script = await readFile(new URL('page.mjs', import.meta.url), 'utf8');
    const hash = createHash('sha256').update(moduleText(script)).digest('base64');
    const { head, tail } = frameOf({
      title: `${options.title} – Daybreak`,
      policy: `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
      style: COMPARISON_STYLE,
      footer: `Written by Daybreak ${daybreakVersion()}.`,
      script,
    });
    const file = await GrowingFile.create(path);
    const page = new ComparisonPage(file, options, tail);
    await file.append(head + viewer(options));
    return page;
  }

  /** The number of pictures on the page. */
  get pictures(): number {
    return this.#scored.length;
  }

  /** @throws ImageError if the sizes in the row do not match or are too small to score, FileError if it cannot be written. */
  async add(row: ComparisonRow): Promise<void> {
    const { name, lr, hr, results } = row;
    factorOf(row);
    const scores = results.map(({ picture }) => quality(picture, hr, this.#options.protocol ?? 'matlab'));
    const versions = [
      { label: 'LR', figures: sizeOf(lr), source: await sourceOf(lr) },
      ...(await Promise.all(
        results.map(async ({ label, picture }, i) => ({
          label,
          figures: figuresOf(scores[i], ' dB'),
          source: await sourceOf(picture),
        })),
      )),
      { label: 'original', figures: sizeOf(hr), source: await sourceOf(hr) },
    ];
    const content = scriptJson({ name, width: hr.width, height: hr.height, versions });
    await this.#file.append(`<script type="application/json" data-name="${escapeHtml(name)}">${content}</script>\n`);
    this.#scored.push({ name, scores });
  }

  /** Ends the page and gives the file its name. @throws FileError if it cannot be written. */
  async finish(): Promise<void> {
    const { labels, protocol = 'matlab' } = this.#options;
    await this.#file.append(scoreTable(labels, this.#scored, protocol) + this.#tail);
    await this.#file.finish();
  }

  /** Removes a page that is not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

const sizeOf = ({ width, height }: Picture) => `${width}×${height} pixels`;
const figuresOf = ({ psnr, ssim }: Quality, unit = '') => `${decimals(psnr, 2)}${unit} / ${ssim.toFixed(4)}`;

async function sourceOf(picture: Picture): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await encodePng(picture)).toString('base64')}`;
}

/** What stands above the table, empty until the script fills it. At first: the first method, and the last or the original. */
function viewer({ title, labels, crop }: ComparisonPageOptions): string {
  const side = (id: string, name: string, chosen: number) => {
    const options = ['LR', ...labels, 'original'].map(
      (label, i) => `<option${i === chosen ? ' selected' : ''}>${i + 1} · ${escapeHtml(label)}</option>`,
    );
    return `<div><select id="${id}" aria-label="${name}" autocomplete="off">${options.join('')}</select><output id="${id}-figures"></output></div>`;
  };
  const region = crop ? ` data-region="${crop.x},${crop.y},${crop.width},${crop.height}"` : '';
  return `<header><p class="kind">Comparison</p><h1>${escapeHtml(title)}</h1></header>
<noscript><p>This page needs JavaScript to show its pictures.</p></noscript>
<section aria-label="Viewer">
<div class="bar">
<div><button id="previous" type="button" aria-label="Previous picture">‹</button><select id="picture" aria-label="Picture" autocomplete="off"></select><button id="next" type="button" aria-label="Next picture">›</button></div>
<div><button id="farther" type="button" aria-label="Zoom out">−</button><output id="zoom" aria-label="Zoom"></output><button id="closer" type="button" aria-label="Zoom in">+</button><button id="fit" type="button">Fit</button></div>
</div>
<div class="sides">
${side('left', 'Left', 1)}
<button id="swap" type="button" aria-label="Swap left and right">⇄</button>
${side('right', 'Right', Math.max(2, labels.length))}
</div>
<div id="stage" aria-busy="true"${region}>
<div id="left-layer" class="layer"></div><div id="right-layer" class="layer"></div>
<div id="handle" role="slider" tabindex="0" aria-label="Boundary between left and right" aria-valuemin="0" aria-valuemax="100" aria-valuenow="50"></div>
</div>
<p class="keys note">${keysOf(labels.length + 2)}</p>
<p class="fingers note">Drag to move the boundary. Pinch or tap twice to zoom, then drag to move.</p>
</section>
`;
}

function keysOf(versions: number): string {
  const digits = ['1', '…', `${Math.min(versions, 9)}`];
  const keys: readonly (readonly [keys: readonly string[], what: string])[] = [
    [['←', '→'], 'boundary'],
    [digits, 'right version'],
    [['Shift', ...digits], 'left version'],
    [['x'], 'swap'],
    [['n', 'p'], 'next, previous picture'],
    [['+', '−'], 'or wheel: zoom'],
    [['0'], 'or double click: fit'],
    [['Shift', '←↑↓→'], 'or drag: move'],
  ];
  return keys.map(([all, what]) => `<span>${all.map(key => `<kbd>${key}</kbd>`).join(' ')} ${what}</span>`).join(' ');
}

interface Scored {
  readonly name: string;
  /** One for each method. */
  readonly scores: readonly Quality[];
}

function scoreTable(labels: readonly string[], scored: readonly Scored[], protocol: Protocol): string {
  const cells = (scores: readonly Quality[]) => {
    const highest = Math.max(...scores.map(({ psnr }) => psnr));
    return scores.map(one => `<td class="n${one.psnr === highest ? ' best' : ''}">${figuresOf(one)}</td>`).join('');
  };
  const rows = scored.map(
    ({ name, scores }, i) =>
      `<tr><th scope="row"><button type="button" data-picture="${i}">${escapeHtml(name)}</button></th>${cells(scores)}</tr>`,
  );
  const means = labels.map((_, i) => ({
    psnr: meanOfFinite(scored.map(({ scores }) => scores[i].psnr)),
    ssim: scored.reduce((sum, { scores }) => sum + scores[i].ssim, 0) / scored.length,
  }));
  const mean = scored.length > 1 ? `<tr class="mean"><th scope="row">mean</th>${cells(means)}</tr>` : '';
  const heads = labels.map(label => `<th class="n" scope="col">${escapeHtml(label)}</th>`).join('');
  return `<section aria-label="Scores">
<div class="wide"><table><caption>${counted(scored.length, 'picture')}: PSNR in dB / SSIM</caption><thead><tr><th scope="col">picture</th>${heads}</tr></thead>
<tbody>
${[...rows, mean].join('\n')}
</tbody></table></div>
<p class="note">${escapeHtml(PROTOCOLS[protocol])}. The highest PSNR is bold.</p>
</section>
`;
}
