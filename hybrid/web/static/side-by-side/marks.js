// Text cut where marks begin and end. Ranges count characters as Python does, code points; a string
// here counts halves of those beyond the first 65,536.

/** Return [text, marked] pieces of `text`; `ranges` are [start, end) of code points, ascending. */
export function pieces(text, ranges) {
  const characters = Array.from(text);
  const cut = [];
  let done = 0;
  for (const [start, end] of ranges) {
    cut.push([characters.slice(done, start), false], [characters.slice(start, end), true]);
    done = end;
  }
  cut.push([characters.slice(done), false]);
  return cut.filter(([part]) => part.length).map(([part, marked]) => [part.join(""), marked]);
}
