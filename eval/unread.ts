/** A note about pictures in unsupported formats. */

/**
 * "skipped 2 files: .bmp, .gif are not supported, convert them"; undefined if there are none.
 * @param names names or extensions, one per file.
 */
export function unreadNote(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const endings = [...new Set(names.map(endingOf))].sort();
  const one = names.length === 1;
  const are = `${endings.join(', ')} ${endings.length === 1 ? 'is' : 'are'} not supported`;
  return `skipped ${names.length} ${one ? 'file' : 'files'}: ${are}, convert ${one ? 'it' : 'them'}`;
}

const endingOf = (name: string) => name.slice(name.lastIndexOf('.')).toLowerCase();
