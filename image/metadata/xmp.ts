/**
 * Updates XMP packets (ISO 16684-1) to the result. Only the affected text changes. Each byte is treated as a character,
 * since everything searched for is ASCII.
 */

import { type XmlElement, xmlSpans } from './xml-spans.ts';

export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const TIFF = 'http://ns.adobe.com/tiff/1.0/';
const EXIF = 'http://ns.adobe.com/exif/1.0/';
const MEDIA_MANAGEMENT = 'http://ns.adobe.com/xap/1.0/mm/';
const NOTE = 'http://ns.adobe.com/xmp/note/';
const CAMERA = 'http://ns.google.com/photos/1.0/camera/';
const GAIN_MAPS: readonly string[] = ['http://ns.adobe.com/hdr-gain-map/1.0/', 'http://ns.apple.com/HDRGainMap/1.0/'];
const CONTAINERS: readonly string[] = [
  'http://ns.google.com/photos/1.0/container/',
  'http://ns.google.com/photos/1.0/container/item/',
  'http://ns.google.com/photos/dd/1.0/container/',
  'http://ns.google.com/photos/dd/1.0/item/',
];

/** What a file holds after its picture, according to its XMP. */
export interface Companions {
  readonly gainMap: boolean;
  readonly video: boolean;
}

export interface CleanedXmp extends Companions {
  /** Undefined if the packet is damaged and mentions companions. */
  readonly xmp: Uint8Array | undefined;
}

/** A span of a text and its replacement. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Decodes one character per byte. TextDecoder's "latin1" is windows-1252, which differs. */
export function latin(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return pieces.join('');
}

/** The inverse of `latin`. */
export function bytesOfLatin(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/** Applies edits. Spans must not overlap. */
export function edited(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return pieces.join('') + text.slice(at);
}

const SIZES: ReadonlyMap<string, 'width' | 'height'> = new Map([
  [`${TIFF}ImageWidth`, 'width'],
  [`${TIFF}ImageLength`, 'height'],
  [`${EXIF}PixelXDimension`, 'width'],
  [`${EXIF}PixelYDimension`, 'height'],
]);

/** Updates the packet to the picture's size, and its orientation to 1 if `isUpright`. */
export function xmpFor(
  xmp: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  isUpright = false,
): Uint8Array {
  const orientation = `${TIFF}Orientation`;
  return withNumbers(xmp, (name, old) => {
    const side = SIZES.get(name);
    if (side !== undefined) return side === 'width' ? width : height;
    return isUpright && name === orientation && old >= 1 && old <= 8 ? 1 : undefined;
  });
}

/** Replaces integer properties, selected by namespace and name. */
function withNumbers(xmp: Uint8Array, wanted: (name: string, old: number) => number | undefined): Uint8Array {
  const text = latin(xmp);
  const edits: Edit[] = [];
  const set = (name: string, start: number, end: number) => {
    const old = text.slice(start, end);
    const value = /^\s*\d{1,10}\s*$/.test(old) ? wanted(name, Number(old)) : undefined;
    if (value !== undefined && Number(old) !== value) {
      edits.push({ start, end, text: String(value) });
    }
  };
  const visit = ({ namespace, local, attributes, children, contentStart, contentEnd }: XmlElement) => {
    // Contains copies of other pictures' metadata.
    if (namespace === MEDIA_MANAGEMENT && local === 'Pantry') return;
    for (const each of attributes) set(each.namespace + each.local, each.valueStart, each.valueEnd);
    if (children.length === 0) set(namespace + local, contentStart, contentEnd);
    children.forEach(visit);
  };
  xmlSpans(text)?.forEach(visit);
  return edits.length === 0 ? xmp : bytesOfLatin(edited(text, edits));
}

/** Removes references to other pictures, videos and extended XMP, which are not carried over. */
export function withoutCompanions(xmp: Uint8Array): CleanedXmp {
  const text = latin(xmp);
  const outermost = xmlSpans(text);
  let [gainMap, video] = [false, false];
  if (outermost === undefined) {
    const speaksFalsely = /hdr-gain-map|HDRGainMap|MotionPhoto|MicroVideo|HasExtendedXMP/.test(text);
    return { xmp: speaksFalsely ? undefined : xmp, gainMap, video };
  }
  const edits: Edit[] = [];
  const remove = ({ start, end }: { readonly start: number; readonly end: number }) =>
    edits.push({ start, end, text: '' });
  /** Whether to remove a property. Records which companions it mentions. */
  const goes = (namespace: string, local: string, value: string): boolean => {
    if (namespace === NOTE) return local === 'HasExtendedXMP';
    if (namespace === CAMERA && /^(MotionPhoto|MicroVideo)/.test(local)) {
      video ||= /^(MotionPhoto|MicroVideo)$/.test(local) && value.trim() === '1';
      return true;
    }
    gainMap ||= GAIN_MAPS.includes(namespace) || (local === 'Semantic' && value === 'GainMap');
    video ||= local === 'Semantic' && value === 'MotionPhoto' && CONTAINERS.includes(namespace);
    return GAIN_MAPS.includes(namespace) || CONTAINERS.includes(namespace);
  };
  const visit = (element: XmlElement, removed: boolean) => {
    const { namespace, local, contentStart, contentEnd, attributes, children } = element;
    const own = goes(namespace, local, text.slice(contentStart, contentEnd));
    if (own && !removed) remove(element);
    const within = own || removed;
    for (const each of attributes) {
      const value = text.slice(each.valueStart, each.valueEnd);
      const declares = each.name.startsWith('xmlns:') && [...GAIN_MAPS, ...CONTAINERS].includes(value);
      if ((declares || goes(each.namespace, each.local, value)) && !within) remove(each);
    }
    for (const child of children) visit(child, within);
  };
  for (const element of outermost) visit(element, false);
  return { xmp: edits.length === 0 ? xmp : bytesOfLatin(edited(text, edits)), gainMap, video };
}
