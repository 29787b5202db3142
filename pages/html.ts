/** Self-contained HTML pages: the document around a report, and text and data escaped for it. */

import { STYLE } from './style.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character]);
}

/** A value as JSON that is safe inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What surrounds a page's content. Texts are escaped here. */
export interface PageFrame {
  readonly title: string;
  /** The content security policy: nothing is loaded from elsewhere. */
  readonly policy: string;
  /** Rules after those of all reports. */
  readonly style?: string;
  /** The footer's text. */
  readonly footer: string;
  /** An inline module; the policy must allow it. */
  readonly script?: string;
}

export interface Page extends PageFrame {
  /** HTML of the sections, one below the other. */
  readonly sections: readonly string[];
}

/** A report as one HTML file, light or dark as its reader's system. */
export function documentOf({ sections, ...frame }: Page): string {
  const { head, tail } = frameOf(frame);
  return `${head}${sections.join('\n')}\n${tail}`;
}

/** What comes before and after the sections, for pages that are written section by section. */
export function frameOf({ title, policy, style = '', footer, script }: PageFrame): {
  readonly head: string;
  readonly tail: string;
} {
  const head = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
`;
  const tail = `<footer class="note">${escapeHtml(footer)}</footer>
</main>
${script === undefined ? '' : `<script type="module">${moduleText(script)}</script>\n`}</body>
</html>
`;
  return { head, tail };
}

/** The text of a page's script element, whose hash a policy can name. */
export const moduleText = (script: string): string => `\n${script}`;
