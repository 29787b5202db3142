/**
 * Reads a JPEG file's metadata: EXIF, XMP, comments, resolution, and whether it holds more pictures (CIPA DC-007) or a
 * video.
 */

import { EXTENDED_MARK, extendedGuid, extendedPart, joinedXmp, XMP_MARK } from './extended-xmp.ts';
import { APP0, APP1, APP2, COM, EOI, indexOfLetters, jpegSegments, startsWith } from './jpeg-segments.ts';
import { type Resolution, resolutionOfJfif } from './resolution.ts';
import { numberOf, readTiffStructure } from './tiff-tags.ts';
import { bytesOfLatin, latin, withoutCompanions } from './xmp.ts';

export interface JpegMetadata {
  /** Both parts merged, without references to companions that are not read. */
  readonly xmp: Uint8Array | undefined;
  /** From JFIF. */
  readonly resolution: Resolution | undefined;
  readonly comments: readonly Uint8Array[] | undefined;
  /** One line for each thing that is dropped. */
  readonly warnings: readonly string[];
}

const MPF_MARK = 'MPF\0';
const GAIN_MAP_MARK = 'urn:iso:std:iso:ts:21496:-1\0';
/** Samsung's mark before a motion photo's video. */
const SAMSUNG_VIDEO = 'MotionPhoto_Data';

/** Bytes after the picture that are searched for this mark. */
const LONGEST_SEARCH = 1 << 26;

/** The unparsed contents of the segments. */
interface Found {
  readonly xmp: Uint8Array | undefined;
  readonly extended: readonly Uint8Array[];
  readonly comments: readonly Uint8Array[];
  readonly resolution: Resolution | undefined;
  readonly pictures: number;
  readonly isoGainMap: boolean;
  /** Where the picture ends. */
  readonly end: number;
}

/** Reads the metadata of a JPEG file. Damaged parts are dropped with a warning. */
export function readJpegMetadata(bytes: Uint8Array): JpegMetadata {
  const found = segmentsIn(bytes);
  const warnings: string[] = [];
  const whole = wholeXmp(found, warnings);
  const cleaned = whole && withoutCompanions(whole);
  if (cleaned && !cleaned.xmp) warnings.push('its XMP is damaged and was dropped');
  const behind = bytes.subarray(found.end, found.end + LONGEST_SEARCH);
  const more = found.pictures > 1 || indexOfLetters(behind.subarray(0, 4096), '\xff\xd8\xff') >= 0;
  const gainMap = more && (found.isoGainMap || (cleaned?.gainMap ?? false));
  const others = found.pictures - (gainMap ? 1 : 0);
  if (others > 1) warnings.push(`only the first of its ${others} pictures is read`);
  if (gainMap) warnings.push('its gain map (HDR) is not carried over');
  if ((cleaned?.video && behind.length > 0) || indexOfLetters(behind, SAMSUNG_VIDEO) >= 0) {
    warnings.push('its video (motion photo) is not carried over');
  }
  const comments = found.comments.length > 0 ? found.comments : undefined;
  return { xmp: cleaned?.xmp, resolution: found.resolution, comments, warnings };
}

function segmentsIn(bytes: Uint8Array): Found {
  let xmp: Uint8Array | undefined;
  const [extended, comments]: [Uint8Array[], Uint8Array[]] = [[], []];
  let resolution: Resolution | undefined;
  let [pictures, end] = [1, bytes.length];
  let isoGainMap = false;
  for (const segment of jpegSegments(bytes)) {
    const { marker, data } = segment;
    if (marker === APP0) resolution ??= resolutionOfJfif(data);
    else if (marker === APP1 && startsWith(data, XMP_MARK)) xmp ??= new Uint8Array(data.subarray(XMP_MARK.length));
    else if (marker === APP1 && startsWith(data, EXTENDED_MARK)) extended.push(data);
    else if (marker === APP2 && startsWith(data, MPF_MARK)) pictures = picturesIn(data.subarray(MPF_MARK.length));
    else if (marker === APP2 && startsWith(data, GAIN_MAP_MARK)) isoGainMap = true;
    else if (marker === COM && data.length > 0) comments.push(new Uint8Array(data));
    else if (marker === EOI) end = segment.end;
  }
  return { xmp, extended, comments, resolution, pictures, isoGainMap, end };
}

/** Merges both parts of a packet. Adds a warning if that fails. */
function wholeXmp({ xmp, extended }: Found, warnings: string[]): Uint8Array | undefined {
  if (xmp === undefined) return undefined;
  const guid = extendedGuid(latin(xmp));
  if (guid === undefined) return xmp;
  const second = extendedPart(extended, guid);
  const joined = second && joinedXmp(xmp, second);
  if (joined !== undefined) return bytesOfLatin(joined);
  if (extended.length > 0) warnings.push('the second part of its XMP (extended XMP) is damaged and was dropped');
  return xmp;
}

const NUMBER_OF_IMAGES = 0xb001;
const ENTRIES = 0xb002;
const ENTRY_BYTES = 16;

/** Types of previews of the first picture, in screen sizes. */
const PREVIEWS: readonly number[] = [0x010001, 0x010002];

/** The number of pictures in a multi-picture index, without previews of the first. */
function picturesIn(index: Uint8Array): number {
  const tiff = readTiffStructure(index);
  const count = tiff && numberOf(tiff, tiff.first.tags.get(NUMBER_OF_IMAGES));
  if (tiff === undefined || count === undefined || count < 1) return 1;
  const entries = tiff.first.tags.get(ENTRIES);
  if (entries === undefined) return count;
  let previews = 0;
  for (let i = 1; i < count && (i + 1) * ENTRY_BYTES <= entries.length; i++) {
    const attributes = tiff.view.getUint32(entries.valueAt + i * ENTRY_BYTES, tiff.littleEndian);
    if (PREVIEWS.includes(attributes & 0xffffff)) previews++;
  }
  return count - previews;
}
