/** One picture to upscale, and its outcome. */

import type { Tiling } from './upscale.ts';

/** Instead of a path: standard input, or standard output. A file of that name is `./-`. */
export const STANDARD = '-';

/** One picture to upscale. Both are file paths or STANDARD. */
export interface Job {
  readonly input: string;
  readonly output: string;
}

/** A job's input for messages: its path, or "standard input". */
export const inputName = ({ input }: Job): string => (input === STANDARD ? 'standard input' : input);

/** A job's output for messages: its path, or "standard output". */
export const outputName = ({ output }: Job): string => (output === STANDARD ? 'standard output' : output);

/** The outcome of a job. Sizes are those of the picture and of its result. */
export type Outcome =
  | {
      readonly state: 'done';
      readonly job: Job;
      readonly from: string;
      readonly to: string;
      /** The colour profile or space from which samples were converted to sRGB, if any. */
      readonly convertedFrom: string | undefined;
      /** The tiling; undefined if the method reports none, like interpolations. */
      readonly tiling: Tiling | undefined;
      /** Duration of the method alone; reading and writing overlap with other pictures. */
      readonly seconds: number;
    }
  | { readonly state: 'skipped'; readonly job: Job }
  | { readonly state: 'failed'; readonly job: Job; readonly error: Error };
