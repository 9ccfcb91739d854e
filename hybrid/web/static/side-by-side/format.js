// @ts-check
// Numbers and sentences as the page shows them.

/**
 * Return a score with two decimals, or with as many as it takes to be other than zero.
 * @param {number} value
 */
export function formatScore(value) {
  if (value === 0 || Math.abs(value) >= 0.1) return value.toFixed(2);
  return String(Number(value.toPrecision(2)));
}

/**
 * Return a number with two decimals, and no minus sign before zero.
 * @param {number} value
 */
export function formatHundredths(value) {
  return (Math.round(100 * value) / 100 || 0).toFixed(2);
}

/**
 * Return a share, 0 to 1, as a percentage with one decimal at most.
 * @param {number} share
 */
export function formatPercent(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}

/**
 * Return a message as a sentence: with a capital and, unless it ends in a sign already, a full stop.
 * @param {string} text
 */
export function sentence(text) {
  return endSentence(text[0].toUpperCase() + text.slice(1));
}

/**
 * Return a text with a full stop, unless it ends a sentence already, within a quotation or not.
 * @param {string} text
 */
export function endSentence(text) {
  return /[.?!]'?$/.test(text) ? text : `${text}.`;
}
