// @ts-check
// Lines that join the rows of a film in two neighbouring columns.

import { shape } from "../shared/dom.js";

/**
 * Draw the moves from the films of one column to those of another, both ids from the top. A film
 * that only one of them shows gets a stub that leads out.
 * @param {SVGElement} svg
 * @param {string[]} left
 * @param {string[]} right
 * @param {number} rows  of the longest column
 */
export function drawLines(svg, left, right, rows) {
  const [leftRows, rightRows] = [centres(left), centres(right)];
  const obsolete = new Map(
    [...svg.querySelectorAll("path")].map((line) => [line.dataset.film, line]),
  );
  for (const film of new Set([...left, ...right])) {
    const line = obsolete.get(film) ?? svg.appendChild(shape("path", { "data-film": film }));
    obsolete.delete(film);
    const [from, to] = [leftRows.get(film), rightRows.get(film)];
    const d = path(from, to);
    if (line.getAttribute("d") === d) continue;
    line.setAttribute("d", d);
    line.classList.toggle("out", from === undefined || to === undefined);
  }
  for (const line of obsolete.values()) line.remove();
  const box = `0 0 100 ${Math.max(rows, 1)}`;
  if (svg.getAttribute("viewBox") !== box) svg.setAttribute("viewBox", box);
}

/**
 * Return the height of the middle of each film's row.
 * @param {string[]} films
 */
function centres(films) {
  return new Map(films.map((film, row) => [film, row + 0.5]));
}

/**
 * @param {number} [from]
 * @param {number} [to]
 */
function path(from = Number.NaN, to = Number.NaN) {
  if (Number.isNaN(to)) return `M0 ${from}C12 ${from} 20 ${from + 0.1} 28 ${from + 0.3}`;
  if (Number.isNaN(from)) return `M100 ${to}C88 ${to} 80 ${to + 0.1} 72 ${to + 0.3}`;
  return `M0 ${from}C45 ${from} 55 ${to} 100 ${to}`;
}
