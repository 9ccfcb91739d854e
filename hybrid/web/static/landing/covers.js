// @ts-check
// A row of covers in the order of one ranking. Films that move glide to their new place.

import { createBar, fillBar } from "../shared/bar.js";
import { element } from "../shared/dom.js";
import { filmURL, tileURL } from "../shared/url.js";

/** @import { Comparison } from "../side-by-side/comparison.js" */

/** @typedef {ReturnType<typeof createCover>} Cover */

const GLIDE = { duration: 700, easing: "cubic-bezier(.3, .1, .2, 1)" };

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Return a function that shows the first films of the ranking at an alpha.
 * @param {HTMLElement} row  as many items as films are shown
 * @param {Comparison} comparison
 * @param {URLSearchParams} query  which leads to the films
 */
export function createCovers(row, comparison, query) {
  const places = row.children.length;
  const { fusion } = comparison.weights({ fusion: null, alpha: null });
  /** @type {Map<string, Cover>} */
  const covers = new Map();

  /** @param {number} alpha */
  return (alpha) => {
    const rankings = comparison.rankings({ fusion, alpha });
    const items = rankings.hybrid.slice(0, places).map((film) => {
      const cover = covers.get(film) ?? createCover(filmURL(film, query), film, comparison);
      covers.set(film, cover);
      const { weightedKeyword, weightedSemantic } = comparison.scoreParts(rankings, alpha, film);
      fillBar(cover.bar, weightedKeyword, weightedSemantic);
      return cover.item;
    });
    if (items.some((item, position) => row.children[position] !== item)) arrange(row, items);
  };
}

/**
 * @param {HTMLElement} row
 * @param {HTMLElement[]} items
 */
function arrange(row, items) {
  const before = new Map([...row.children].map((item) => [item, item.getBoundingClientRect()]));
  const focused = document.activeElement;
  row.replaceChildren(...items);
  if (focused instanceof HTMLElement && row.contains(focused)) focused.focus();
  if (calm.matches) return;
  for (const item of items) {
    const [from, to] = [before.get(item), item.getBoundingClientRect()];
    const start = from
      ? { transform: `translate(${from.x - to.x}px, ${from.y - to.y}px)` }
      : { opacity: 0, transform: "scale(.96)" };
    if (!from || from.x !== to.x || from.y !== to.y) item.animate([start, {}], GLIDE);
  }
}

/**
 * @param {string} url
 * @param {string} film
 * @param {Comparison} comparison
 */
function createCover(url, film, { movies }) {
  const { title, year } = movies[film];
  const bar = createBar();
  const link = element(
    "a",
    { href: url },
    element("img", { class: "tile", src: tileURL(film), alt: "", width: 80, height: 120 }),
    bar,
    element("b", {}, title),
    element("small", {}, year === null ? "" : String(year)),
  );
  return { item: element("li", {}, link), bar };
}
