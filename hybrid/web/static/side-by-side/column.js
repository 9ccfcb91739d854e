// The rows of a column: one film each, the same element for as long as the comparison lasts.

import { element, number, shape } from "../shared/dom.js";

const GLIDE = { duration: 180, easing: "ease-out" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** A column's list, filled anew whenever the order changes. */
export class Column {
  #list;
  #movies;
  #rows = new Map();
  #places = new Map();

  constructor(list, movies) {
    this.#list = list;
    this.#movies = movies;
    this.films = [];
    list.replaceChildren();
  }

  /**
   * Show `films`, ids from the top. `parts` says of a film what its bar is made of: shares of the
   * width for either side; `score`, what it is written with.
   */
  show(films, parts, score) {
    this.films = films;
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    const rows = films.map((film) => this.#row(film));
    const changed = rows.some((row, place) => this.#list.children[place] !== row.item);
    if (changed || rows.length !== this.#list.children.length) {
      this.#list.replaceChildren(...rows.map((row) => row.item));
    }
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    const height = still.matches || !changed ? 0 : (rows[0]?.item.offsetHeight ?? 0);
    films.forEach((film, place) => {
      const row = rows[place];
      fill(row, place + 1, parts(film), score(film));
      const before = this.#places.get(film);
      if (height && before !== undefined && before !== place) {
        const from = `translateY(${(before - place) * height}px)`;
        row.item.animate([{ transform: from }, { transform: "none" }], GLIDE);
      }
    });
    this.#places = new Map(films.map((film, place) => [film, place]));
  }

  #row(film) {
    if (!this.#rows.has(film)) this.#rows.set(film, made(film, this.#movies[film]));
    return this.#rows.get(film);
  }
}

function made(film, movie) {
  const rank = element("span", { class: "place" });
  const score = element("span", { class: "value" });
  const words = shape("rect", { class: "keyword", height: 8 });
  const meaning = shape("rect", { class: "semantic", height: 8 });
  const track = shape("rect", { class: "track", width: 100, height: 8 });
  const bar = shape(
    "svg",
    { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    track,
    words,
    meaning,
  );
  const tile = element("img", { src: `/tiles/${film}`, alt: "", width: 28, height: 42, class: "tile" });
  const year = element("span", { class: "year" }, movie.year === null ? "" : ` ${movie.year}`);
  const name = element("span", { class: "name", title: movie.title }, movie.title, year);
  const told = element("span", { class: "told" }, name, element("span", { class: "line" }, bar, score));
  const button = element("button", { type: "button", "data-film": film }, rank, tile, told);
  return { item: element("li", {}, button), rank, score, words, meaning };
}

function fill(row, rank, [words, meaning], score) {
  row.rank.textContent = String(rank);
  row.score.textContent = score === null ? "" : number(score);
  const first = width(words);
  row.words.setAttribute("width", first);
  row.meaning.setAttribute("x", first);
  row.meaning.setAttribute("width", Math.min(width(meaning), 100 - first));
}

const width = (share) => 100 * Math.min(Math.max(share ?? 0, 0), 1);
