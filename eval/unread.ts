/** One line about the files of a folder that are pictures in formats that are not read. */

/**
 * "2 files left out: .bmp, .gif are not read, convert them"; undefined where there is none.
 * @param names of the files, or their endings: one for each file.
 */
export function unreadNote(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const endings = [...new Set(names.map(endingOf))].sort();
  const one = names.length === 1;
  const are = `${endings.join(', ')} ${endings.length === 1 ? 'is' : 'are'} not read`;
  return `${names.length} ${one ? 'file' : 'files'} left out: ${are}, convert ${one ? 'it' : 'them'}`;
}

const endingOf = (name: string) => name.slice(name.lastIndexOf('.')).toLowerCase();
