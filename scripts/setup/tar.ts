/** Reads tar archives, as far as npm packages and their content need it. */

const BLOCK = 512;

/** A regular file in an archive. */
export interface TarFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * The regular files of an uncompressed archive (POSIX ustar or GNU), in order. Folders, links and extended headers are
 * skipped, so names beyond 255 characters are truncated. Throws if the archive is damaged.
 */
export function* tarFiles(archive: Uint8Array): Generator<TarFile> {
  const text = new TextDecoder();
  for (let offset = 0; offset + BLOCK <= archive.length; ) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.every(byte => byte === 0)) return; // Two empty blocks end an archive.
    const field = (start: number, length: number) =>
      text.decode(header.subarray(start, start + length)).replace(/\0.*$/s, '');
    // The checksum is the sum of the header's bytes, its own eight counted as spaces.
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    const size = Number.parseInt(field(124, 12), 8);
    const end = offset + BLOCK + size;
    if (sum !== Number.parseInt(field(148, 8), 8) || !(end <= archive.length))
      throw new Error(`The tar archive is damaged at byte ${offset}.`);
    const kind = field(156, 1);
    const folder = field(257, 6) === 'ustar' ? field(345, 155) : '';
    if (kind === '' || kind === '0') {
      const name = field(0, 100);
      yield { name: folder ? `${folder}/${name}` : name, content: archive.subarray(offset + BLOCK, end) };
    }
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
