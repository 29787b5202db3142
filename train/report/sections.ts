/** The sections of a report's page as HTML. */

import { count, duration, figure } from '../../common/text.ts';
import { adapterName } from '../../engine/device/adapter.ts';
import { readPngStructure } from '../../image/png-header.ts';
import { escapeHtml } from '../../pages/html.ts';
import { optionsOf, variantOfConfig } from '../config/config.ts';
import type { Environment, RecordedEnvironment } from '../run-folder/environment.ts';
import type { Chart } from './curves.ts';
import { networkSize, type ReportContent, type ReportPicture, setMeans, summaryOf } from './report-content.ts';
import { gain } from './scores.ts';
import { svgOf } from './svg.ts';

/** Title, a summary of the training, and the main figures. */
export function headerOf(content: ReportContent): string {
  const { config, environment } = content;
  const steps = summaryOf(content)?.steps ?? 0;
  const updates =
    steps === config.steps ? `${count(steps)} updates` : `${count(steps)} of ${count(config.steps)} updates`;
  const schedule = config.lrSchedule === 'constant' ? '' : ` (${config.lrSchedule})`;
  const rates = config.dLr === undefined ? '' : ` (discriminator ${figure(config.dLr)})`;
  const warmup = config.lrWarmup > 0 ? `, warm-up ${count(config.lrWarmup)}` : '';
  const lead =
    `Trained on ${config.data.join(', ')}: ${updates} with ${config.batch * config.accumulate} crops of ` +
    `${config.crop}×${config.crop} pixels, learning rate ${figure(config.lr)}${rates}${schedule}${warmup}, seed ${config.seed}; ` +
    `started ${environment.date.slice(0, 10)} on ${machineOf(environment)}.`;
  return (
    `<header><p class="kind">Super-resolution, ×4</p><h1>${escapeHtml(titleOf(content))}</h1>` +
    `<p class="lead">${escapeHtml(lead)}</p></header>${tilesOf(content)}`
  );
}

export function titleOf({ title, config }: Pick<ReportContent, 'title' | 'config'>): string {
  const loss = config.pixelLoss === 'l1' ? ' (L1)' : '';
  return title ?? `${variantOfConfig(config).label}${loss}, ${networkSize(config)}`;
}

function tilesOf(content: ReportContent): string {
  const tiles = content.scores
    .filter(({ images }) => images.length > 0)
    .map(scores => {
      const { bicubic, model } = setMeans(scores);
      return tile(`gain over bicubic on ${scores.data}`, gain(model.psnr - bicubic.psnr, 2), 'dB');
    });
  const summary = summaryOf(content);
  if (summary) {
    tiles.push(
      tile('final loss', figure(summary.loss)),
      tile('training', duration(summary.seconds)),
      tile('speed', figure(summary.imagesPerSecond), 'images/s'),
    );
    if (summary.waitedForDataSeconds !== undefined) {
      tiles.push(tile('GPU waited for data', duration(summary.waitedForDataSeconds)));
    }
  }
  return tiles.length > 0 ? `<dl class="tiles">${tiles.join('')}</dl>` : '';
}

function tile(name: string, value: string, unit = ''): string {
  return `<div><dt>${escapeHtml(name)}</dt><dd>${value}${unit && ` <small>${unit}</small>`}</dd></div>`;
}

/** Pictures, fitted to the page's width; a click shows them in full size. */
export function picturesOf(pictures: readonly ReportPicture[]): string {
  if (pictures.length === 0) return '';
  const figures = pictures.map(({ title, caption, png }, i) => {
    const { width, height } = readPngStructure(png, title).header;
    const alt = escapeHtml(caption ? `${title}: ${caption}` : title);
    const source = `data:image/png;base64,${base64(png)}`;
    return (
      `<figure class="picture"><figcaption><h3>${escapeHtml(title)}</h3>` +
      `${caption ? `<span class="note">${escapeHtml(caption)}</span>` : ''}</figcaption>` +
      `<input type="checkbox" id="picture-${i}" aria-label="show ${escapeHtml(title)} in full size">` +
      `<label class="frame" for="picture-${i}"><img src="${source}" width="${width}" height="${height}" alt="${alt}">` +
      '</label></figure>'
    );
  });
  return `<section><h2>Pictures</h2>${figures.join('')}</section>`;
}

function base64(bytes: Uint8Array): string {
  // btoa takes a string of bytes. Convert in chunks, as the number of arguments of a call is limited.
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** The charts, as SVG. */
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

/** A note on where the run was resumed; only the times of a resumed run differ. */
function historyOf({ resumed = [] }: RecordedEnvironment): string {
  const updates = [...new Set(resumed.map(({ step }) => step))].map(count);
  const last = updates.pop();
  if (last === undefined) return '';
  const listed = updates.length > 0 ? `updates ${updates.join(', ')} and ${last}` : `update ${last}`;
  return (
    `<p class="note">This run was stopped and resumed after ${listed} (see Environment). Losses and scores are the same as ` +
    'without a stop; the speed may differ, and the time does not include pauses.</p>'
  );
}

/** A note on skipped updates. */
function skippedOf(content: ReportContent): string {
  const { skipped = 0, steps = 0 } = summaryOf(content) ?? {};
  if (skipped === 0) return '';
  const were = skipped === 1 ? 'was' : 'were';
  return (
    `<p class="note">${count(skipped)} of ${count(steps)} ${steps === 1 ? 'update' : 'updates'} ${were} skipped, because a ` +
    'loss, a gradient or a running statistic was not finite. A skipped update changes nothing and does not count in the ' +
    'losses; metrics.jsonl shows where they are.</p>'
  );
}

/** How to repeat the run. */
export function repeatSection({ command, config: { model, init } }: Pick<ReportContent, 'command' | 'config'>): string {
  // Break lines between words only, not inside of `--steps`.
  const words = command.split(' ').map(word => `<span>${escapeHtml(word)}</span>`);
  // The run that --init names may have continued since then; the run folder has a copy of its weights.
  const first = init === undefined || init === 'none' ? '' : ' --init init.safetensors';
  return (
    `<section><h2>Repeat this run</h2><div class="command"><pre>${words.join(' ')}</pre></div>` +
    `<p class="note">config.json in the run folder has all options${first && ', and init.safetensors the initial weights'}: ` +
    `<code>npx daybreak train ${escapeHtml(model)} --config config.json${first} --out NEW</code> ` +
    'trains the same network. The result is the same to the last bit on the same adapter and driver' +
    `${first && `; the command above gives it as long as ${escapeHtml(init!)} has not changed`}.</p></section>`
  );
}

/** All options; those that differ from the default are highlighted. */
export function configSection({ config, loss }: Pick<ReportContent, 'config' | 'loss'>): string {
  const rows = optionsOf(variantOfConfig(config), config).map(({ key, help, default: byDefault }) => {
    const value = show(config[key]);
    // An option without a default is required, or derived from a file: it cannot differ.
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

/** Machine and software, at the start and at each resume. */
export function environmentSection(environment: RecordedEnvironment): string {
  const resumed = environment.resumed?.map(
    one =>
      `<tr><th scope="row">resumed after update ${count(one.step)}</th><td>${escapeHtml(environmentLine(one))}</td></tr>`,
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
    ['started', environment.date],
  ];
  const table = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`);
  return (
    `<section><h2>Environment</h2><div class="wide"><table><tbody>${table.join('')}${(resumed ?? []).join('')}` +
    `</tbody></table></div>${detailsOf('Limits', environment.limits)}${detailsOf('Kernels', environment.kernels)}</section>`
  );
}

/** The adapter of an environment, or its processor. */
const machineOf = ({ adapter, cpu }: Environment) => (adapter ? adapterName(adapter) : cpu.model);

const environmentLine = (one: Environment) =>
  `${one.date}, Daybreak ${one.daybreak}, Node ${one.node}, ${machineOf(one)}`;

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
