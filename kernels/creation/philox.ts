/**
 * Philox 4×32-10 in WGSL: the words of `engine/basics/philox.ts`. The state is four words: the seed (low, high) and the number of the
 * next block of four words (low, high).
 */

/** Words of the state. */
export const STATE = 4;

const BOTH_HALVES = `fn philoxProduct(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let middle2 = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (middle >> 16u) + (middle2 >> 16u), a * b);
}`;

/** The block that is `ahead` of the state's next one. A loop over rounds: unrolled ones compile slowly on software drivers. */
const BLOCK = `fn philoxBlock(state: vec4u, ahead: u32) -> vec4u {
  let low = state.z + ahead;
  var counter = vec4u(low, state.w + select(0u, 1u, low < ahead), 0u, 0u);
  var key = state.xy;
  for (var round = 0; round < 10; round++) {
    let first = philoxProduct(0xd2511f53u, counter.x);
    let second = philoxProduct(0xcd9e8d57u, counter.z);
    counter = vec4u(second.x ^ counter.y ^ key.x, second.y, first.x ^ counter.w ^ key.y, first.y);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}`;

/** Uniform in [0, 1), from the 24 highest bits of a word. */
const UNIFORM = 'fn philoxUniform(word: u32) -> f32 { return f32(word >> 8u) * 5.9604644775390625e-8; }';

export const PHILOX = [BOTH_HALVES, BLOCK, UNIFORM];

/** WGSL for the state in the array `state`. */
export const STATE_TEXT = 'vec4u(state[0], state[1], state[2], state[3])';
