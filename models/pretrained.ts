/**
 * The pretrained networks, in `models/pretrained/`: `registry.json` lists them, and each is a model file with a card. Web
 * pages fetch both from their server.
 */
import { DaybreakError } from '../engine/basics/errors.ts';

/** An unknown network name, or a registry that cannot be read; one line. */
export class PretrainedError extends DaybreakError {
  static override readonly name: string = 'PretrainedError';
  static override readonly code: string = 'DAYBREAK_PRETRAINED';
}

/** Means over a benchmark set: PSNR in dB and SSIM on luma, with most papers' protocol and that of Ledig et al. */
export interface PretrainedScores {
  /** PSNR in dB by most papers' protocol. */
  readonly psnr: number;
  /** SSIM by most papers' protocol. */
  readonly ssim: number;
  /** PSNR in dB by the protocol of Ledig et al. */
  readonly psnr_paper: number;
  /** SSIM by the protocol of Ledig et al. */
  readonly ssim_paper: number;
  /** Energy of luma in frequencies beyond LR's, divided by the original's. */
  readonly texture: number;
}

/** A pretrained network. */
export interface PretrainedModel {
  /** What users call it: `srresnet`. */
  readonly name: string;
  /** What it is good for, one line. */
  readonly summary: string;
  /** Human-readable network type and size. */
  readonly architecture: string;
  /** Number of parameters. */
  readonly parameters: number;
  /** The model file and its card, next to the registry. */
  readonly file: string;
  /** File name of its card, Markdown. */
  readonly card: string;
  /** Size and hash of the model file. */
  readonly bytes: number;
  /** SHA-256 of the model file, in hexadecimal. */
  readonly sha256: string;
  /** Scores of this file, by set. */
  readonly scores: Readonly<Record<string, PretrainedScores>>;
}

/** The default network: the closest to the original. */
export const DEFAULT_PRETRAINED = 'srresnet';

/** Maximum size of a pretrained file in bytes. */
export const LARGEST_PRETRAINED = 4_000_000;

/** File name of the registry. */
export const REGISTRY_FILE = 'registry.json';

const TEXTS = ['name', 'summary', 'architecture', 'file', 'card', 'sha256'] as const;
const NUMBERS = ['parameters', 'bytes'] as const;
const SCORES = ['psnr', 'ssim', 'psnr_paper', 'ssim_paper', 'texture'] as const;

/**
 * Parses a `registry.json`. `file` is for messages.
 * @throws PretrainedError if it is not a registry.
 */
export function parseRegistry(text: string, file = REGISTRY_FILE): readonly PretrainedModel[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new PretrainedError(`${file}: is not JSON.`, { cause });
  }
  if (!Array.isArray(read) || !read.every(isModel)) {
    throw new PretrainedError(
      `${file}: expected a list of networks with ${[...TEXTS, ...NUMBERS].join(', ')} and scores.`,
    );
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
