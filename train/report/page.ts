/** The whole page of a report: one file that needs nothing else, least of all a network. */

import { variantOfConfig } from '../config/config.ts';
import type { ReportContent } from './content.ts';
import { type Chart, chartsOf } from './curves.ts';
import { escapeHtml, scriptJson } from './html.ts';
import { scoresSection } from './scores.ts';
import { SCRIPT } from './script.ts';
import {
  chartsSection,
  configSection,
  environmentSection,
  headerOf,
  picturesOf,
  repeatSection,
  titleOf,
} from './sections.ts';
import { STYLE } from './style.ts';
import { bounds, linearTicks, logarithmicTicks, padded } from './svg.ts';

/** The plotting library's files, to be set into the page. */
export interface PlotLibrary {
  readonly script: string;
  readonly style: string;
}

/** The page refuses to load anything from anywhere. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** HTML of the report. */
export function pageOf(content: ReportContent, library: PlotLibrary): string {
  const { label } = variantOfConfig(content.config);
  const charts = chartsOf(content.metrics, content.scores, label);
  const title = escapeHtml(`${titleOf(content)} – Daybreak`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${library.style}</style>
<style>${STYLE}</style>
</head>
<body>
<main>
${headerOf(content)}
${picturesOf(content.pictures)}
${chartsSection(charts, content)}
${scoresSection(content.scores, label)}
${repeatSection(content)}
${configSection(content)}
${environmentSection(content.environment)}
<footer class="note">Written by Daybreak ${escapeHtml(content.environment.daybreak)}. Charts by uPlot (MIT licence).</footer>
</main>
<script>${library.script}</script>
<script type="module">
const charts = ${scriptJson(charts.map(forScript))};
${SCRIPT}</script>
</body>
</html>
`;
}

/** A chart with the bounds and marks of its upper axis, so that the script's plot has the SVG's. */
function forScript(chart: Chart): Chart & { range: readonly [number, number] | null; ticks: readonly number[] } {
  const range = bounds(chart);
  if (range === undefined) return { ...chart, range: null, ticks: [] };
  const [low, high] = padded(...range, chart.logarithmic);
  const ticks = chart.logarithmic ? logarithmicTicks(low, high) : linearTicks(low, high, 5);
  return { ...chart, range: [low, high], ticks };
}
