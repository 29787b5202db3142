/** The HTML page of a report: one file that loads nothing else. */

import { escapeHtml, scriptJson } from '../../common/html.ts';
import { STYLE } from '../../common/page-style.ts';
import { variantOfConfig } from '../config/config.ts';
import { chartsOf } from './curves.ts';
import type { ReportContent } from './report-content.ts';
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
import { hoverData } from './svg.ts';

/** Forbids the page to load anything. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** The report as HTML. */
export function pageOf(content: ReportContent): string {
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
<footer class="note">Written by Daybreak ${escapeHtml(content.environment.daybreak)}.</footer>
</main>
<script type="module">
const charts = ${scriptJson(charts.map(hoverData))};
${SCRIPT}</script>
</body>
</html>
`;
}
