/** Selects the main page of a TIFF file, and names unsupported compressions (TIFF 6.0, NewSubfileType, page 36). */

import { type Directory, directoriesOf, numberOf, type TiffStructure } from './tiff-tags.ts';

const NEW_SUBFILE_TYPE = 254;
const COMPRESSION = 259;

/** Bits of NewSubfileType: a reduced version of another page, and a transparency mask. */
const REDUCED = 1;
const MASK = 4;

export interface TiffPage {
  /** Its number, from 0. */
  readonly number: number;
  readonly directory: Directory;
  /** Number of all pages, and of those that are neither reduced versions nor masks. */
  readonly pages: number;
  readonly fullPages: number;
}

/** The first page that is neither a reduced version nor a mask, otherwise the first page. */
export function mainPage(tiff: TiffStructure): TiffPage {
  let main: { number: number; directory: Directory } | undefined;
  let [pages, fullPages] = [0, 0];
  for (const directory of directoriesOf(tiff)) {
    const kind = numberOf(tiff, directory.tags.get(NEW_SUBFILE_TYPE)) ?? 0;
    if ((kind & (REDUCED | MASK)) === 0) {
      fullPages++;
      main ??= { number: pages, directory };
    }
    pages++;
  }
  return { ...(main ?? { number: 0, directory: tiff.first }), pages, fullPages };
}

/** Compressions (libtiff's numbers) that the packaged libvips cannot read. */
const UNREAD: Readonly<Record<number, string>> = {
  34661: 'JBIG',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'ZSTD',
  50001: 'WebP',
  50002: 'JPEG XL',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
};

/** The name of a page's compression if many readers do not support it. */
export function rareCompression(tiff: TiffStructure, { tags }: Directory): string | undefined {
  return UNREAD[numberOf(tiff, tags.get(COMPRESSION)) ?? 1];
}
