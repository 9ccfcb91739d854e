// Lines that join a film's places in two columns beside each other.

import { shape } from "../shared/dom.js";

/**
 * Draw into `svg` the moves from the films of one column to those of another, both lists of ids
 * from the top. A film that only one of them shows gets a stub that leads out.
 */
export function join(svg, from, to, rows) {
  const [left, right] = [places(from), places(to)];
  const drawn = new Map([...svg.children].map((line) => [line.dataset.film, line]));
  for (const film of new Set([...from, ...to])) {
    const line = drawn.get(film) ?? svg.appendChild(shape("path", { "data-film": film }));
    drawn.delete(film);
    const [a, b] = [left.get(film), right.get(film)];
    line.setAttribute("d", path(a, b));
    line.setAttribute("class", a === undefined || b === undefined ? "out" : "");
  }
  for (const line of drawn.values()) line.remove();
  svg.setAttribute("viewBox", `0 0 100 ${Math.max(rows, 1)}`);
}

const places = (films) => new Map(films.map((film, place) => [film, place + 0.5]));

function path(a, b) {
  if (b === undefined) return `M0 ${a}C12 ${a} 20 ${a + 0.1} 28 ${a + 0.3}`;
  if (a === undefined) return `M100 ${b}C88 ${b} 80 ${b + 0.1} 72 ${b + 0.3}`;
  return `M0 ${a}C45 ${a} 55 ${b} 100 ${b}`;
}
