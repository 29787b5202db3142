/** `daybreak/eval`: scores by the papers' protocols, and pictures to compare by eye. */

export {
  BORDER,
  meanScores,
  PROTOCOLS,
  type Protocol,
  type Quality,
  quality,
  type Scores,
  scores,
} from './protocols.ts';
