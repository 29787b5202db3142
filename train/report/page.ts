/** The HTML page of a report: one file that loads nothing else. */

import { documentOf, scriptJson } from '../../pages/html.ts';
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
  return documentOf({
    title: `${titleOf(content)} – Daybreak`,
    policy: POLICY,
    sections: [
      headerOf(content),
      picturesOf(content.pictures),
      chartsSection(charts, content),
      scoresSection(content.scores, label),
      repeatSection(content),
      configSection(content),
      environmentSection(content.environment),
    ],
    footer: `Written by Daybreak ${content.environment.daybreak}.`,
    script: `const charts = ${scriptJson(charts.map(hoverData))};\n${SCRIPT}`,
  });
}
