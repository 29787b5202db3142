/**
 * How wide lavapipe, Mesa's software driver, computes. It takes 8 lanes at a time (256 bits) also where the processor has
 * 512, because some processors slow down for those. AMD's do not: 16 lanes need half the instructions, and convolutions
 * are 1.4 times faster forwards (bench/NOTES.md).
 */
import { readFileSync } from 'node:fs';

/** Read by the driver when it is loaded; a value of the user's own counts. */
export const VECTOR_WIDTH = 'LP_NATIVE_VECTOR_WIDTH';

const WIDE = /^flags\s*:.*\bavx512vl\b/m;

/** What /proc/cpuinfo says of the processor; empty where there is no Linux. */
function cpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Whether this machine's processor computes on 512 bits (AVX-512), as far as Linux tells. */
export const hasWideVectors = (): boolean => WIDE.test(cpuinfo());

/** Whether `cpuinfo` (Linux's /proc/cpuinfo) tells of a processor for which 512 bits pay. */
export const prefersWideVectors = (cpuinfo: string): boolean =>
  /^vendor_id\s*:\s*AuthenticAMD$/m.test(cpuinfo) && WIDE.test(cpuinfo);

/** Asks lavapipe for 512 bits where they pay. Without effect on other drivers, and after lavapipe was loaded. */
export function useWideVectors(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment[VECTOR_WIDTH] !== undefined) return;
  // No Linux: the driver's own choice.
  if (prefersWideVectors(cpuinfo())) environment[VECTOR_WIDTH] = '512';
}
