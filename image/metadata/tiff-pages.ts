/** Which page of a TIFF file is its picture, and what its reader cannot do (TIFF 6.0, NewSubfileType, page 36). */

import { type Directory, directoriesOf, numberOf, type TiffStructure } from './tiff-tags.ts';

const NEW_SUBFILE_TYPE = 254;
const COMPRESSION = 259;

/** Bits of NewSubfileType: a smaller version of another page, and a mask of transparency. */
const REDUCED = 1;
const MASK = 4;

export interface TiffPage {
  /** Its number, from 0. */
  readonly number: number;
  readonly directory: Directory;
  /** Pages in all, and those that are neither smaller versions nor masks of others. */
  readonly pages: number;
  readonly fullPages: number;
}

/** The first page that is no smaller version or mask of another; the first of all where there is none. */
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

/** Compressions that the packaged libvips has no reader for: libtiff's numbers. */
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

/** The name of a page's compression where many readers have none for it. */
export function rareCompression(tiff: TiffStructure, { tags }: Directory): string | undefined {
  return UNREAD[numberOf(tiff, tags.get(COMPRESSION)) ?? 1];
}
