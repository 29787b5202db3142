/** The parts of a report's page, each a function from what happened to HTML. */

import { count, duration, figure } from '../../common/text.ts';
import { adapterName } from '../../engine/device/adapter.ts';
import { readPngStructure } from '../../image/png-header.ts';
import { optionsOf, variantOfConfig } from '../config/config.ts';
import type { Environment, RecordedEnvironment } from '../run-folder/environment.ts';
import { progressOf, type ReportContent, type ReportPicture, setMeans } from './content.ts';
import type { Chart } from './curves.ts';
import { escapeHtml } from './html.ts';
import { gain } from './scores.ts';
import { svgOf } from './svg.ts';

/** Title, what was trained on what, and the figures one looks for first. */
export function headerOf(content: ReportContent): string {
  const { config, environment } = content;
  const progress = progressOf(content);
  const steps = progress?.steps ?? 0;
  const updates =
    steps === config.steps ? `${count(steps)} updates` : `${count(steps)} of ${count(config.steps)} updates`;
  const schedule = config.lrSchedule === 'constant' ? '' : ` (${config.lrSchedule})`;
  const rates = config.dLr === undefined ? '' : ` (discriminator ${figure(config.dLr)})`;
  const warmup = config.lrWarmup > 0 ? `, warm-up ${count(config.lrWarmup)}` : '';
  const lead =
    `Trained by Daybreak on ${config.data.join(', ')}: ${updates} with ${config.batch * config.accumulate} crops of ` +
    `${config.crop}×${config.crop} pixels, learning rate ${figure(config.lr)}${rates}${schedule}${warmup}, seed ${config.seed}; ` +
    `begun ${environment.date.slice(0, 10)} on ${machineOf(environment)}.`;
  return (
    `<header><p class="kind">Super-resolution, ×4</p><h1>${escapeHtml(titleOf(content))}</h1>` +
    `<p class="lead">${escapeHtml(lead)}</p></header>${tilesOf(content)}`
  );
}

export function titleOf({ title, config }: Pick<ReportContent, 'title' | 'config'>): string {
  const loss = config.pixelLoss === 'l1' ? ' (L1)' : '';
  return title ?? `${variantOfConfig(config).label}${loss}, ${config.blocks} blocks of ${config.channels} channels`;
}

function tilesOf(content: ReportContent): string {
  const tiles = content.scores
    .filter(({ images }) => images.length > 0)
    .map(scores => {
      const { bicubic, model } = setMeans(scores);
      return tile(`over bicubic on ${scores.data}`, gain(model.psnr - bicubic.psnr, 2), 'dB');
    });
  const progress = progressOf(content);
  if (progress) {
    tiles.push(
      tile('final loss', figure(progress.loss)),
      tile('training', duration(progress.seconds)),
      tile('speed', figure(progress.imagesPerSecond), 'images/s'),
    );
    if (progress.waitedForDataSeconds !== undefined) {
      tiles.push(tile('GPU waited for data', duration(progress.waitedForDataSeconds)));
    }
  }
  return tiles.length > 0 ? `<dl class="tiles">${tiles.join('')}</dl>` : '';
}

function tile(name: string, value: string, unit = ''): string {
  return `<div><dt>${escapeHtml(name)}</dt><dd>${value}${unit && ` <small>${unit}</small>`}</dd></div>`;
}

/** Pictures as they are, within the page's width; a click shows their own pixels. */
export function picturesOf(pictures: readonly ReportPicture[]): string {
  if (pictures.length === 0) return '';
  const figures = pictures.map(({ title, caption, png }, i) => {
    const { width, height } = readPngStructure(png, title).header;
    const alt = escapeHtml(caption ? `${title}: ${caption}` : title);
    const source = `data:image/png;base64,${base64(png)}`;
    return (
      `<figure class="picture"><figcaption><h3>${escapeHtml(title)}</h3>` +
      `${caption ? `<span class="note">${escapeHtml(caption)}</span>` : ''}</figcaption>` +
      `<input type="checkbox" id="picture-${i}" aria-label="show ${escapeHtml(title)} in its own pixels">` +
      `<label class="frame" for="picture-${i}"><img src="${source}" width="${width}" height="${height}" alt="${alt}">` +
      '</label></figure>'
    );
  });
  return `<section><h2>Pictures</h2>${figures.join('')}</section>`;
}

function base64(bytes: Uint8Array): string {
  // btoa wants a string of bytes; by pieces, since a call takes only so many arguments.
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** The curves as SVG, in places where the page's script puts its own. */
export function chartsSection(charts: readonly Chart[], content: ReportContent): string {
  if (charts.length === 0) return '';
  const figures = charts.map(chart => {
    const key = chart.lines.map(({ label, role }) => `<span class="${role}">${escapeHtml(label)}</span>`).join('');
    return (
      `<figure class="chart"><figcaption><h3>${escapeHtml(chart.title)}</h3>` +
      `${chart.note && `<span class="note">${escapeHtml(chart.note)}</span>`}` +
      `${chart.lines.length > 1 ? `<span class="key">${key}</span>` : ''}</figcaption>` +
      `<div class="plot">${svgOf(chart)}</div></figure>`
    );
  });
  const notes = `${historyOf(content.environment)}${skippedOf(content)}`;
  return `<section><h2>Curves</h2>${notes}<div class="charts">${figures.join('')}</div></section>`;
}

/** Where curves may have a break, and which: a resumed run is the same but for its times. */
function historyOf({ resumed = [] }: RecordedEnvironment): string {
  const updates = [...new Set(resumed.map(({ step }) => step))].map(count);
  const last = updates.pop();
  if (last === undefined) return '';
  const listed = updates.length > 0 ? `updates ${updates.join(', ')} and ${last}` : `update ${last}`;
  return (
    `<p class="note">This run was stopped and went on after ${listed} (when and on what, see Environment). Losses and scores ` +
    'are those of a run without stops; the speed may change there, and the time counts training alone.</p>'
  );
}

/** Updates that the losses leave out. */
function skippedOf(content: ReportContent): string {
  const { skipped = 0, steps = 0 } = progressOf(content) ?? {};
  if (skipped === 0) return '';
  const were = `${count(skipped)} ${skipped === 1 ? 'was' : 'were'}`;
  const all = `${count(steps)} ${steps === 1 ? 'update' : 'updates'}`;
  return (
    `<p class="note">Of ${all} ${were} skipped, because a loss, a gradient or a running statistic was no ` +
    'finite number: nothing changed then, and the losses are means over the others (metrics.jsonl says where).</p>'
  );
}

/** How to train the same again. */
export function repeatSection({ command, config: { model, init } }: Pick<ReportContent, 'command' | 'config'>): string {
  // Lines break between words only, not within `--steps`.
  const words = command.split(' ').map(word => `<span>${escapeHtml(word)}</span>`);
  // What --init names may have gone on since; the run has kept what it was.
  const first = init === undefined || init === 'none' ? '' : ' --init init.safetensors';
  return (
    `<section><h2>Again</h2><div class="command"><pre>${words.join(' ')}</pre></div>` +
    `<p class="note">config.json beside this page holds every number of the run${first && ', and init.safetensors its first weights'}: ` +
    `with ${first ? 'them' : 'it'}, <code>npx daybreak train ${escapeHtml(model)} --config config.json${first} --out NEW</code> ` +
    'trains the same network. On the same adapter and driver it comes out the same to the last bit' +
    `${first && ` (the command above does so while ${escapeHtml(init!)} is what it was)`}.</p></section>`
  );
}

/** Every option, and which of them are not the default. */
export function configSection({ config, loss }: Pick<ReportContent, 'config' | 'loss'>): string {
  const rows = optionsOf(variantOfConfig(config), config).map(({ key, help, default: byDefault }) => {
    const value = show(config[key]);
    // What must be given, or follows from a file, cannot be changed.
    const standard = byDefault === undefined ? value : show(byDefault);
    return (
      `<tr${value === standard ? '' : ' class="changed"'}><th scope="row"><code>${key}</code></th>` +
      `<td class="value">${value}</td><td>${value === standard ? '' : standard}</td><td class="note">${escapeHtml(help)}</td></tr>`
    );
  });
  return (
    '<section><h2>Configuration</h2><div class="wide"><table><thead><tr><th scope="col">option</th>' +
    '<th scope="col">value</th><th scope="col">default</th><th scope="col">meaning</th></tr></thead>' +
    `<tbody>${rows.join('')}</tbody></table></div>${loss === undefined ? '' : `<p class="note">${escapeHtml(loss)}</p>`}</section>`
  );
}

function show(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value === 'number') return value < 1e-3 && value > 0 ? figure(value, 6) : escapeHtml(String(value));
  if (Array.isArray(value)) return value.length > 0 ? escapeHtml(value.join(', ')) : 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return escapeHtml(String(value));
}

/** What it ran on, and where it went on after a stop. */
export function environmentSection(environment: RecordedEnvironment): string {
  const resumed = environment.resumed?.map(
    one =>
      `<tr><th scope="row">resumed after update ${count(one.step)}</th><td>${escapeHtml(summaryOf(one))}</td></tr>`,
  );
  const { commit, adapter } = environment;
  const rows: readonly (readonly [string, string])[] = [
    ['adapter', adapter ? Object.values(adapter).filter(Boolean).join(', ') : 'not recorded'],
    ['processor', `${environment.cpu.model}, ${environment.cpu.cores} cores, ${environment.memoryGiB} GiB of memory`],
    ['system', `${environment.os}${environment.glibc ? `, glibc ${environment.glibc}` : ''}`],
    [
      'Daybreak',
      `${environment.daybreak}${commit ? `, commit ${commit.hash}${commit.changed ? ' with changes' : ''}` : ''}`,
    ],
    ['Node, webgpu', `${environment.node}, ${environment.webgpu ?? 'none'}`],
    ['begun', environment.date],
  ];
  const table = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`);
  return (
    `<section><h2>Environment</h2><div class="wide"><table><tbody>${table.join('')}${(resumed ?? []).join('')}` +
    `</tbody></table></div>${detailsOf('Limits', environment.limits)}${detailsOf('Kernels', environment.kernels)}</section>`
  );
}

/** The adapter of an environment, else its processor. */
const machineOf = ({ adapter, cpu }: Environment) => (adapter ? adapterName(adapter) : cpu.model);

const summaryOf = (one: Environment) => `${one.date}, Daybreak ${one.daybreak}, Node ${one.node}, ${machineOf(one)}`;

function detailsOf(name: string, entries: Readonly<Record<string, unknown>> | undefined): string {
  if (entries === undefined || Object.keys(entries).length === 0) return '';
  const rows = Object.entries(entries).map(([key, value]) => {
    const text = typeof value === 'number' ? count(value) : typeof value === 'string' ? value : JSON.stringify(value);
    return `<tr><th scope="row"><code>${escapeHtml(key)}</code></th><td>${escapeHtml(text)}</td></tr>`;
  });
  return (
    `<details><summary>${name} (${rows.length})</summary><div class="wide"><table><tbody>${rows.join('')}` +
    '</tbody></table></div></details>'
  );
}
