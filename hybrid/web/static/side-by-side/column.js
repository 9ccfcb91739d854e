// @ts-check
// One column: a row for each film, the same element for as long as the comparison lasts.

import { createBar, fillBar } from "../shared/bar.js";
import { element, write } from "../shared/dom.js";
import { tileURL } from "../shared/url.js";
import { formatScore } from "./format.js";

/** @import { CandidateMovie } from "./api.js" */

/**
 * What a row shows of a film: the parts of its bar, as shares of the width, and its score.
 * @typedef {object} RowScores
 * @property {number | null} keyword
 * @property {number | null} semantic
 * @property {number | null} score
 */

/** @typedef {ReturnType<typeof createRow>} Row */

const ANIMATION = { duration: 180, easing: "ease-out" };
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export class Column {
  #list;
  #movies;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Map<string, number>} */
  #positions = new Map();

  /**
   * @param {HTMLElement} list
   * @param {Record<string, CandidateMovie>} movies
   */
  constructor(list, movies) {
    this.#list = list;
    this.#movies = movies;
    list.replaceChildren();
  }

  /**
   * Show these films, ids from the top. Rows that move glide to their new position.
   * @param {string[]} films
   * @param {(film: string) => RowScores} scoresOf
   */
  show(films, scoresOf) {
    const rows = films.map((film) => this.#row(film));
    this.#arrange(rows.map((row) => row.item));
    films.forEach((film, position) => {
      fillRow(rows[position], position + 1, scoresOf(film));
      const moved = (this.#positions.get(film) ?? position) - position;
      if (moved && !reducedMotion.matches) glide(rows[position], moved);
    });
    this.#positions = new Map(films.map((film, position) => [film, position]));
  }

  /**
   * Make these the items of the list, and keep the focus. Only items that are not where they belong
   * are moved: to lay out an item again costs far more than to compare it.
   * @param {HTMLElement[]} items
   */
  #arrange(items) {
    const { children } = this.#list;
    const focused = document.activeElement;
    const hadFocus = this.#list.contains(focused);
    items.forEach((item, position) => {
      if (children[position] !== item) this.#list.insertBefore(item, children[position] ?? null);
    });
    while (children.length > items.length) this.#list.lastElementChild?.remove();
    if (hadFocus && focused !== document.activeElement && focused instanceof HTMLElement) {
      focused.focus({ preventScroll: true });
    }
  }

  /**
   * @param {string} film
   * @returns {Row}
   */
  #row(film) {
    const row = this.#rows.get(film) ?? createRow(film, this.#movies[film]);
    this.#rows.set(film, row);
    return row;
  }
}

/**
 * Move a row from where it was to where it is. All rows have the same height.
 * @param {Row} row
 * @param {number} places  downwards
 */
function glide(row, places) {
  row.motion?.cancel();
  const from = `translateY(${100 * places}%)`;
  row.motion = row.item.animate([{ transform: from }, { transform: "none" }], ANIMATION);
}

/**
 * @param {string} film
 * @param {CandidateMovie} movie
 */
function createRow(film, movie) {
  const rank = element("span", { class: "rank" });
  const score = element("span", { class: "value" });
  const bar = createBar();
  const tile = element("img", {
    src: tileURL(film),
    alt: "",
    width: 28,
    height: 42,
    class: "tile",
  });
  const year = element("span", { class: "year" }, movie.year === null ? "" : ` ${movie.year}`);
  const name = element("span", { class: "name", title: movie.title }, movie.title, year);
  const line = element("span", { class: "line" }, bar, score);
  const snippet = element("span", { class: "snippet" }, movie.sentence ?? "");
  const text = element("span", { class: "text" }, name, line, snippet);
  const attributes = { type: "button", "data-film": film, "aria-pressed": "false" };
  const button = element("button", attributes, rank, tile, text);
  const motion = /** @type {Animation | null} */ (null);
  return { item: element("li", {}, button), rank, score, bar, motion };
}

/**
 * @param {Row} row
 * @param {number} rank
 * @param {RowScores} scores
 */
function fillRow(row, rank, { keyword, semantic, score }) {
  write(row.rank, String(rank));
  write(row.score, score === null ? "" : formatScore(score));
  fillBar(row.bar, keyword, semantic);
}
