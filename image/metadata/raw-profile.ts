/** EXIF and XMP in PNG text chunks, as written by ImageMagick and ExifTool ("Raw profile type ..."). */

import { latin } from './xmp.ts';

const KEYWORD = 'Raw profile type ';

/** The lower-case profile type in a text chunk's keyword: "exif", "xmp" …; undefined for other texts. */
export function rawProfileName(data: Uint8Array): string | undefined {
  const start = latin(data.subarray(0, 80));
  const end = start.indexOf('\0');
  return end > 0 && start.startsWith(KEYWORD) ? start.slice(KEYWORD.length, end).toLowerCase() : undefined;
}

/** Decodes a text of a name, the byte count and hexadecimal digits. Undefined if it is damaged. */
export function rawProfile(text: string): Uint8Array | undefined {
  const head = /^\s*\S+\s+(\d{1,9})\s/.exec(text.slice(0, 200));
  if (head === null) return undefined;
  const length = Number(head[1]);
  const digits = text.slice(head[0].length).replace(/\s+/g, '');
  if (digits.length < 2 * length || /[^0-9a-f]/i.test(digits)) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
