/** Extended XMP: packets too large for one JPEG segment, in two parts (XMP specification, part 3, 1.1.3.1). */

import { startsWith } from './jpeg-segments.ts';
import { type XmlAttribute, type XmlElement, xmlSpans } from './xml-spans.ts';
import { edited, latin, RDF } from './xmp.ts';

export const XMP_MARK = 'http://ns.adobe.com/xap/1.0/\0';
export const EXTENDED_MARK = 'http://ns.adobe.com/xmp/extension/\0';

/** Hexadecimal digits of the MD5 digest that links the two parts. */
const GUID_LETTERS = 32;

/** Header bytes of an extended segment: its mark, the digest, the total length, the offset of the piece. */
export const EXTENDED_HEAD = EXTENDED_MARK.length + GUID_LETTERS + 8;

/** Maximum length, because the length in a file may be wrong. */
const LONGEST_EXTENDED = 1 << 26;

/** Assembles the second part of a packet from its segments. Undefined if a piece is missing. */
export function extendedPart(segments: readonly Uint8Array[], guid: string): Uint8Array | undefined {
  let out: Uint8Array | undefined;
  let filled = 0;
  const seen = new Set<number>();
  for (const data of segments) {
    if (data.length < EXTENDED_HEAD || !startsWith(data, EXTENDED_MARK)) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (latin(data.subarray(EXTENDED_MARK.length, EXTENDED_MARK.length + GUID_LETTERS)) !== guid) continue;
    const length = view.getUint32(EXTENDED_HEAD - 8);
    const at = view.getUint32(EXTENDED_HEAD - 4);
    const piece = data.subarray(EXTENDED_HEAD);
    if (length > LONGEST_EXTENDED || (out !== undefined && out.length !== length)) return undefined;
    out ??= new Uint8Array(length);
    if (at + piece.length > length) return undefined;
    if (seen.has(at)) continue;
    seen.add(at);
    out.set(piece, at);
    filled += piece.length;
  }
  return out !== undefined && filled === out.length ? out : undefined;
}

interface Packet {
  readonly text: string;
  readonly rdf: XmlElement;
}

function packetOf(text: string): Packet | undefined {
  const outermost = xmlSpans(text);
  const all = outermost?.flatMap(element => [element, ...element.children]);
  const rdf = all?.find(({ namespace, local }) => namespace === RDF && local === 'RDF');
  return rdf && rdf.contentEnd > rdf.contentStart ? { text, rdf } : undefined;
}

/** The digest in the first part of a packet, if it has a second part. */
export function extendedGuid(text: string): string | undefined {
  return /HasExtendedXMP(?:\s*=\s*["']|>)\s*([0-9A-Fa-f]{32})\s*["'<]/.exec(text)?.[1];
}

/** Merges both parts into one packet. Undefined if either is malformed. */
export function joinedXmp(main: Uint8Array, extended: Uint8Array): string | undefined {
  const [first, second] = [packetOf(latin(main)), packetOf(latin(extended))];
  if (first === undefined || second === undefined || first.rdf.name !== second.rdf.name) return undefined;
  // Namespaces declared around the descriptions are redeclared on each of them.
  const around = declarationsAround(second);
  const edits = second.rdf.children.map(({ start, name, attributes }) => {
    const own = attributes.map(attribute => attribute.name);
    const missing = [...around].filter(([each]) => !own.includes(each)).map(([, written]) => written);
    const at = start + 1 + name.length;
    return { start: at, end: at, text: missing.join('') };
  });
  const { contentStart, contentEnd } = second.rdf;
  const inner = second.text.slice(contentStart, contentEnd);
  const moved = edits.map(edit => ({ ...edit, start: edit.start - contentStart, end: edit.end - contentStart }));
  const at = first.rdf.contentEnd;
  return first.text.slice(0, at) + edited(inner, moved) + first.text.slice(at);
}

/** The namespace declarations around the descriptions: attribute name to source text. */
function declarationsAround({ text, rdf }: Packet): ReadonlyMap<string, string> {
  const outermost = (xmlSpans(text) ?? []).filter(({ start, end }) => start <= rdf.start && end >= rdf.end);
  return new Map([...outermost, rdf].flatMap(({ attributes }) => declarationsOf(text, attributes)));
}

function declarationsOf(text: string, attributes: readonly XmlAttribute[]): [string, string][] {
  return attributes
    .filter(({ name }) => name.startsWith('xmlns:'))
    .map(({ name, start, end }) => [name, text.slice(start, end)]);
}

/** A property of a description, stored as an attribute or an element. */
interface Property {
  readonly start: number;
  readonly end: number;
  readonly isAttribute: boolean;
  readonly declarations: ReadonlyMap<string, string>;
}

/**
 * Splits a packet in two: moves the largest properties into the second part until the first has at most `most` bytes.
 * Undefined if that is impossible.
 */
export function splitXmp(
  xmp: Uint8Array,
  most: number,
): { readonly main: string; readonly extended: string } | undefined {
  const packet = packetOf(latin(xmp).replace(/\s+(?=<\?xpacket end)/, '\n'));
  if (packet === undefined) return undefined;
  const { text, rdf } = packet;
  const around = declarationsAround(packet);
  const properties = rdf.children.flatMap(description => propertiesOf(text, description, around));
  const moved: Property[] = [];
  let length = text.length;
  for (const property of properties.sort((a, b) => b.end - b.start - (a.end - a.start))) {
    if (length <= most) break;
    moved.push(property);
    length -= property.end - property.start;
  }
  if (length > most) return undefined;
  const main = edited(
    text,
    moved.map(({ start, end }) => ({ start, end, text: '' })),
  );
  const descriptions = moved.map(({ start, end, isAttribute, declarations }) => {
    const head = `<rdf:Description rdf:about=""${[...declarations.values()].join('')}`;
    const value = text.slice(start, end);
    return isAttribute ? `${head}${value}/>` : `${head}>${value}</rdf:Description>`;
  });
  const head = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">`;
  return { main, extended: `${head}${descriptions.join('')}</rdf:RDF></x:xmpmeta>` };
}

function propertiesOf(text: string, description: XmlElement, around: ReadonlyMap<string, string>): Property[] {
  const declarations = new Map([...around, ...declarationsOf(text, description.attributes)]);
  declarations.delete('xmlns:rdf');
  const attributes = description.attributes
    .filter(({ name, namespace }) => namespace !== RDF && !/^xml(ns)?(:|$)/.test(name))
    .map(({ start, end }) => ({ start, end, isAttribute: true, declarations }));
  const elements = description.children.map(({ start, end }) => ({ start, end, isAttribute: false, declarations }));
  return [...attributes, ...elements];
}

/** Adds the digest of the second part to the first. */
export function withGuid(main: string, guid: string): string {
  const packet = packetOf(main);
  if (packet === undefined) return main;
  const at = packet.rdf.contentEnd;
  const rdf = packet.rdf.name.replace(/:?RDF$/, '');
  const [tag, about] = rdf === '' ? ['Description', 'about'] : [`${rdf}:Description`, `${rdf}:about`];
  const note = `<${tag} ${about}="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${guid}"/>`;
  return main.slice(0, at) + note + main.slice(at);
}
