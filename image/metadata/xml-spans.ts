/** Locates the elements and attributes of an XML text (XML 1.0, sections 2 and 3; Namespaces in XML 1.0). */

/** An attribute, from the space before its name to its closing quote. */
export interface XmlAttribute {
  readonly namespace: string;
  /** Without its prefix. */
  readonly local: string;
  /** With its prefix. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** An element, from its start tag to its end tag. */
export interface XmlElement {
  readonly namespace: string;
  readonly local: string;
  readonly name: string;
  readonly start: number;
  /** End of the start tag and start of the end tag; both are the element's end for an empty-element tag. */
  readonly contentStart: number;
  readonly contentEnd: number;
  readonly end: number;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
}

/** Default namespaces for texts that do not declare these prefixes. */
const USUAL: Readonly<Record<string, string>> = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  tiff: 'http://ns.adobe.com/tiff/1.0/',
  exif: 'http://ns.adobe.com/exif/1.0/',
};

const DEEPEST = 500;

/** Metadata packets have hundreds. */
const MOST_ELEMENTS = 200_000;

/** Declared prefixes and the enclosing scope. */
interface Scope {
  readonly own: ReadonlyMap<string, string>;
  readonly around: Scope | undefined;
}

interface Open {
  readonly name: string;
  readonly element: { -readonly [K in keyof XmlElement]: XmlElement[K] } & { children: XmlElement[] };
  readonly scope: Scope | undefined;
}

/**
 * The outermost elements of a text, or undefined if it is visibly not well-formed. Nothing is decoded, and no entity is
 * resolved. Comments, processing instructions and declarations are skipped.
 */
export function xmlSpans(text: string): XmlElement[] | undefined {
  const outermost: XmlElement[] = [];
  const open: Open[] = [];
  let elements = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const passed = ['<!--', '<![CDATA[', '<?', '<!'].find(start => text.startsWith(start, at));
    if (passed !== undefined) {
      const close = { '<!--': '-->', '<![CDATA[': ']]>', '<?': '?>' }[passed] ?? '>';
      const end = text.indexOf(close, at + passed.length);
      if (end < 0) return undefined;
      at = end + close.length;
      continue;
    }
    const tag = readTag(text, at);
    if (tag === undefined) return undefined;
    const siblings = open[open.length - 1]?.element.children ?? outermost;
    if (tag.closes) {
      const last = open.pop();
      if (last === undefined || last.name !== tag.name) return undefined;
      last.element.contentEnd = at;
      last.element.end = tag.end;
    } else {
      if (++elements > MOST_ELEMENTS) return undefined;
      const scope = declared(text, tag.attributes, open[open.length - 1]?.scope);
      const element = {
        ...named(tag.name, scope, true),
        start: at,
        contentStart: tag.end,
        contentEnd: tag.end,
        end: tag.end,
        attributes: tag.attributes.map(attribute => ({ ...attribute, ...named(attribute.name, scope, false) })),
        children: [],
      };
      siblings.push(element);
      if (!tag.empty) open.push({ name: tag.name, element, scope });
      if (open.length > DEEPEST) return undefined;
    }
    at = tag.end;
  }
  return open.length === 0 ? outermost : undefined;
}

type RawAttribute = Omit<XmlAttribute, 'namespace' | 'local'>;

interface RawTag {
  readonly name: string;
  readonly closes: boolean;
  readonly empty: boolean;
  readonly end: number;
  readonly attributes: readonly RawAttribute[];
}

const TAG_START = /<(\/?)([^\s<>/="'!?]+)/y;
const ATTRIBUTE = /\s+([^\s<>/="']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /\s*(\/?)>/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readTag(text: string, at: number): RawTag | undefined {
  const start = matchAt(TAG_START, text, at);
  if (start === null) return undefined;
  const attributes: RawAttribute[] = [];
  let end = at + start[0].length;
  for (let found = matchAt(ATTRIBUTE, text, end); found; found = matchAt(ATTRIBUTE, text, end)) {
    const valueEnd = end + found[0].length - 1;
    const length = (found[2] ?? found[3]).length;
    attributes.push({ name: found[1], start: end, end: valueEnd + 1, valueStart: valueEnd - length, valueEnd });
    end = valueEnd + 1;
  }
  const close = matchAt(TAG_END, text, end);
  if (close === null) return undefined;
  return {
    name: start[2],
    closes: start[1] === '/',
    empty: close[1] === '/',
    end: end + close[0].length,
    attributes,
  };
}

/** The scope of an element with these attributes. */
function declared(text: string, attributes: readonly RawAttribute[], around: Scope | undefined): Scope | undefined {
  const own = attributes.filter(({ name }) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (own.length === 0) return around;
  const pairs = own.map(({ name, valueStart, valueEnd }) => [name.slice(6), text.slice(valueStart, valueEnd)] as const);
  return { own: new Map(pairs), around };
}

function named(name: string, scope: Scope | undefined, element: boolean) {
  const colon = name.indexOf(':');
  const prefix = colon < 0 ? '' : name.slice(0, colon);
  const local = colon < 0 ? name : name.slice(colon + 1);
  // The default namespace applies to elements only.
  const namespace = prefix === '' && !element ? '' : (lookedUp(prefix, scope) ?? USUAL[prefix] ?? '');
  return { namespace, local, name };
}

function lookedUp(prefix: string, scope: Scope | undefined): string | undefined {
  for (let at = scope; at !== undefined; at = at.around) {
    const found = at.own.get(prefix);
    if (found !== undefined) return found;
  }
  return undefined;
}
