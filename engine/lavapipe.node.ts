/**
 * How wide lavapipe, Mesa's software driver, computes. It takes 8 lanes at a time (256 bits) also where the processor has
 * 512, because some processors slow down for those. AMD's do not: 16 lanes need half the instructions, and convolutions
 * are 1.4 times faster forwards (bench/NOTES.md).
 */
import { readFileSync } from 'node:fs';

/** Read by the driver when it is loaded; a value of the user's own counts. */
export const VECTOR_WIDTH = 'LP_NATIVE_VECTOR_WIDTH';

/** Whether `cpuinfo` (Linux's /proc/cpuinfo) tells of a processor for which 512 bits pay. */
export const prefersWideVectors = (cpuinfo: string): boolean =>
  /^vendor_id\s*:\s*AuthenticAMD$/m.test(cpuinfo) && /^flags\s*:.*\bavx512vl\b/m.test(cpuinfo);

/** Asks lavapipe for 512 bits where they pay. Without effect on other drivers, and after lavapipe was loaded. */
export function useWideVectors(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment[VECTOR_WIDTH] !== undefined) return;
  try {
    if (prefersWideVectors(readFileSync('/proc/cpuinfo', 'utf8'))) environment[VECTOR_WIDTH] = '512';
  } catch {
    // No Linux: the driver's own choice.
  }
}
