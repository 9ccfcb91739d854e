// @ts-check
// Text split where marks begin and end. Ranges count code points, as Python does; a JavaScript
// string counts UTF-16 units, two for each code point beyond the first 65,536.

/** @import { Ranges } from "./api.js" */

/** @typedef {{ text: string, isMarked: boolean }} Piece */

/**
 * Return `text` in pieces.
 * @param {string} text
 * @param {Ranges} ranges
 * @returns {Piece[]}
 */
export function pieces(text, ranges) {
  const characters = Array.from(text);
  const cuts = [0, ...ranges.flat(), characters.length];
  return cuts
    .slice(1)
    .map((end, index) => ({
      text: characters.slice(cuts[index], end).join(""),
      isMarked: index % 2 === 1,
    }))
    .filter((piece) => piece.text);
}

/**
 * Return `sentence` in pieces, marked as it is in `text`. A sentence that is not in it is unmarked.
 * @param {string} text
 * @param {string} sentence
 * @param {Ranges} ranges  of `text`
 */
export function sentencePieces(text, sentence, ranges) {
  const index = text.indexOf(sentence);
  if (index < 0) return pieces(sentence, []);
  const start = Array.from(text.slice(0, index)).length;
  const end = start + Array.from(sentence).length;
  /** @type {Ranges} */
  const moved = ranges
    .filter(([low, high]) => start <= low && high <= end)
    .map(([low, high]) => [low - start, high - start]);
  return pieces(sentence, moved);
}
