/** Limits on requests. */

/** How many requests are answered. */
export interface Rate {
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

/** Rates by what they are counted for. */
export interface Limits {
  /** All requests of an address: laboratories may share one. */
  readonly requests: Rate;
  /** New raters of an address. */
  readonly joins: Rate;
  /** Votes of a rater; none looks at a picture for less than a quarter of a second. */
  readonly votes: Rate;
}

export const LIMITS: Limits = {
  requests: { perSecond: 100, burst: 400 },
  joins: { perSecond: 0.2, burst: 40 },
  votes: { perSecond: 4, burst: 8 },
};

/** The largest body of a request, in bytes: a vote takes about 100. */
export const MOST_BYTES = 1024;

/** Keys that are remembered; beyond, all are forgotten, which costs a burst each. */
const MOST_KEYS = 10_000;

/** A token bucket for each key. */
export class Buckets {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #levels = new Map<string, { level: number; time: number }>();

  /** `now` returns milliseconds. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Counts a request. Returns 0 if it may be answered, otherwise the seconds to wait. */
  take(key: string): number {
    const time = this.#now();
    const before = this.#levels.get(key) ?? { level: this.#rate.burst, time };
    const level = Math.min(this.#rate.burst, before.level + ((time - before.time) / 1000) * this.#rate.perSecond);
    if (!this.#levels.has(key) && this.#levels.size >= MOST_KEYS) this.#levels.clear();
    const allowed = level >= 1;
    this.#levels.set(key, { level: allowed ? level - 1 : level, time });
    return allowed ? 0 : Math.max(1, Math.ceil((1 - level) / this.#rate.perSecond));
  }
}
