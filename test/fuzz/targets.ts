/** What damaged files are given to, and what it may answer: a value that makes sense, or an error of ours in one line. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { joinedXmp, splitXmp } from '../../image/metadata/extended-xmp.ts';
import { xmlSpans } from '../../image/metadata/xml-spans.ts';
import { bytesOfLatin, latin, withoutCompanions, xmpFor } from '../../image/metadata/xmp.ts';
import { describedConfig, describedNetwork } from '../../models/described-network.ts';
import { UPSCALERS } from '../../models/networks.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { parseConfig } from '../../train/config/config.ts';
import { readConfigFile } from '../../train/config/config-file.node.ts';
import { resumeConfig } from '../../train/config/resume.ts';
import type { Kind } from './seeds.ts';

/** Why an answer makes no sense. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense';
}

const LONGEST_MESSAGE = 2000;

/** Bytes of XMP that a first part may take, so that packets of a few hundred are parted. */
const SHORT = 200;

/** Pictures of more pixels are refused, so that memory tells of damage and not of size. */
const MAX_PIXELS = 2 ** 22;

async function picture(bytes: Uint8Array, format: 'png' | 'jpeg' = 'png'): Promise<void> {
  const { picture, metadata, warnings } = await decodeFile(bytes, 'fuzzed', { maxPixels: MAX_PIXELS });
  const { width, height, channels, data } = picture;
  if (width * height * channels !== data.length) throw new Nonsense(`${width}x${height}x${channels}, ${data.length}`);
  if (width * height > MAX_PIXELS) throw new Nonsense(`${width}x${height}`);
  for (const warning of warnings) if (!/^[^\n\r]{1,2000}$/.test(warning)) throw new Nonsense(`warning ${warning}`);
  // What was read is written as it goes on its way, metadata and all.
  const converted = await decodeFile(bytes, 'fuzzed', { maxPixels: MAX_PIXELS, colours: 'srgb' });
  if (converted.picture.data.length !== data.length) throw new Nonsense('of another size in sRGB');
  const again = await decodeFile(await encodeFile(picture, format, { metadata }), 'written');
  if (format === 'jpeg') return;
  if (!Buffer.from(again.picture.data.buffer).equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
    throw new Nonsense('reads otherwise once written');
}

/** XMP by all that changes it; true where it is well-formed. */
function xmp(bytes: Uint8Array): boolean {
  const wellFormed = (text: Uint8Array) => xmlSpans(latin(text)) !== undefined;
  const cleaned = withoutCompanions(xmpFor(bytes, { width: 7, height: 5 }, true)).xmp;
  if (!wellFormed(bytes)) return false;
  if (cleaned === undefined || !wellFormed(cleaned)) throw new Nonsense('no longer well-formed');
  if (withoutCompanions(cleaned).xmp !== cleaned) throw new Nonsense('cleaned twice');
  const parts = splitXmp(bytes, SHORT);
  if (parts === undefined) return true;
  if (parts.main.length > SHORT) throw new Nonsense(`${parts.main.length} bytes`);
  const [main, extended] = [parts.main, parts.extended].map(bytesOfLatin);
  if (!wellFormed(main) || !wellFormed(extended)) throw new Nonsense('parts that are not well-formed');
  const joined = joinedXmp(main, extended);
  if (joined !== undefined && !wellFormed(bytesOfLatin(joined)))
    throw new Nonsense('joined to what is not well-formed');
  return true;
}

function safetensors(bytes: Uint8Array): void {
  const { tensors, raw, metadata } = readSafetensors(bytes, 'fuzzed');
  for (const [name, { shape, data }] of tensors)
    if (shape.reduce((a, b) => a * b, 1) !== data.length) throw new Nonsense(`${name}: ${shape}, ${data.length}`);
  const held = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (held > 2 * bytes.length) throw new Nonsense(`${held} bytes of ${bytes.length}`);
  if (raw.size + tensors.size > bytes.length) throw new Nonsense('more tensors than bytes');
  describedConfig(describedNetwork(UPSCALERS, metadata, tensors), metadata, tensors);
}

let folder: string | undefined;

async function config(bytes: Uint8Array): Promise<void> {
  folder ??= mkdtempSync(join(tmpdir(), 'daybreak-fuzz-'));
  const path = join(folder, 'config.json');
  writeFileSync(path, bytes);
  const parsed = parseConfig({}, await readConfigFile(path));
  const again = resumeConfig(parsed, {});
  if (JSON.stringify(parsed) !== JSON.stringify(again)) throw new Nonsense('parses to something else a second time');
}

/** "accepted" or "refused"; throws what is neither. */
export async function answerOf(kind: Kind, bytes: Uint8Array): Promise<'accepted' | 'refused'> {
  try {
    if (kind === 'safetensors') safetensors(bytes);
    else if (kind === 'xmp') return xmp(bytes) ? 'accepted' : 'refused';
    else if (kind === 'segments') await picture(bytes, 'jpeg');
    else if (kind === 'config') await config(bytes);
    else await picture(bytes);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof DaybreakError)) throw error;
    if (/[\n\r]/.test(error.message)) throw new Nonsense(`more than a line: ${error.message}`);
    if (error.message.length > LONGEST_MESSAGE) throw new Nonsense(`a line of ${error.message.length} letters`);
    return 'refused';
  }
}
