/** Notes about skipped files. */

import { counted } from '../common/text.ts';
import { extensionOf } from '../image/formats.ts';

/**
 * "skipped 2 files: .bmp, .gif are not supported, convert them"; undefined if there are none.
 * @param names names or extensions of pictures in unsupported formats, one per file.
 */
export function unreadNote(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const endings = [...new Set(names.map(extensionOf))].sort();
  const are = `${endings.join(', ')} ${endings.length === 1 ? 'is' : 'are'} not supported`;
  return `skipped ${counted(names.length, 'file')}: ${are}, convert ${themOf(names.length)}`;
}

/** "skipped 2 files whose names are not valid UTF-8: rename them"; undefined if there are none. */
export function undecodableNote(number: number): string | undefined {
  if (number === 0) return undefined;
  const names = number === 1 ? 'name is' : 'names are';
  return `skipped ${counted(number, 'file')} whose ${names} not valid UTF-8: rename ${themOf(number)}`;
}

const themOf = (number: number) => (number === 1 ? 'it' : 'them');
