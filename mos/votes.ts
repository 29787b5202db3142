/** Raters and votes as they are stored. */

/** A rater and how far they are. */
export interface Rater {
  readonly number: number;
  /** Examples seen. */
  readonly examples: number;
  /** Pictures in the order shown, repeats included. */
  readonly order: readonly string[];
  /** Votes so far: also the place in `order` of the picture to rate next. */
  readonly votes: number;
}

/** A vote as stored. */
export interface StoredVote {
  readonly rater: number;
  /** Position in the rater's order, from 0. */
  readonly place: number;
  /** The picture's id. */
  readonly picture: string;
  readonly score: number;
  /** True for the second time that this rater was shown this picture. */
  readonly repeat: boolean;
  /** ISO 8601. */
  readonly at: string;
}

/** All raters and votes of a study. */
export interface Votes {
  readonly raters: readonly {
    readonly number: number;
    readonly simulated: boolean;
    readonly joined: string;
    /** Presentations in all. */
    readonly presentations: number;
  }[];
  readonly votes: readonly StoredVote[];
}
