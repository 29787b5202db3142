/**
 * The networks that ship with the project, under `models/pretrained/`: `registry.json` says which there are, each is a
 * model file beside its card. A page fetches both from where it is served.
 */
import { DaybreakError } from '../engine/basics/errors.ts';

/** A name that no shipped network has, or a registry that cannot be read; one line. */
export class PretrainedError extends DaybreakError {}

/** Means over a benchmark set: PSNR in dB and SSIM on luma, by most papers' protocol and by Ledig et al.'s. */
export interface PretrainedScores {
  readonly psnr: number;
  readonly ssim: number;
  readonly psnr_paper: number;
  readonly ssim_paper: number;
  /** Energy of luma in frequencies beyond LR's, over the original's. */
  readonly texture: number;
}

/** A network that ships. */
export interface PretrainedModel {
  readonly name: string;
  /** What it is good for, in one line. */
  readonly summary: string;
  /** For people: the network and its size. */
  readonly architecture: string;
  readonly parameters: number;
  /** The model file and its card, beside the registry. */
  readonly file: string;
  readonly card: string;
  /** Of the model file. */
  readonly bytes: number;
  readonly sha256: string;
  /** As scored from this very file, by set. */
  readonly scores: Readonly<Record<string, PretrainedScores>>;
}

/** What is used where nobody says which: the network that comes closest to the original. */
export const DEFAULT_PRETRAINED = 'srresnet';

/** What a file may weigh to be shipped. Bytes. */
export const LARGEST_PRETRAINED = 4_000_000;

/** The name of the registry in its folder. */
export const REGISTRY_FILE = 'registry.json';

const TEXTS = ['name', 'summary', 'architecture', 'file', 'card', 'sha256'] as const;
const NUMBERS = ['parameters', 'bytes'] as const;
const SCORES = ['psnr', 'ssim', 'psnr_paper', 'ssim_paper', 'texture'] as const;

/**
 * The networks that a `registry.json` lists. `file` is for messages.
 * @throws PretrainedError where it is not such a registry.
 */
export function parseRegistry(text: string, file = REGISTRY_FILE): readonly PretrainedModel[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new PretrainedError(`${file}: is not JSON.`, { cause });
  }
  if (!Array.isArray(read) || !read.every(isModel)) {
    throw new PretrainedError(`${file}: is no list of networks with ${[...TEXTS, ...NUMBERS].join(', ')} and scores.`);
  }
  return read;
}

function isModel(value: unknown): value is PretrainedModel {
  if (!isRecord(value) || !isRecord(value.scores)) return false;
  return (
    TEXTS.every(key => typeof value[key] === 'string') &&
    NUMBERS.every(key => Number.isSafeInteger(value[key])) &&
    Object.values(value.scores).every(
      scores => isRecord(scores) && SCORES.every(key => typeof scores[key] === 'number'),
    )
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
