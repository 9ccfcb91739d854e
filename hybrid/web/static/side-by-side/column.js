// @ts-check
// One column: a row for each film, the same element for as long as the comparison lasts.

import { createBar, fillBar } from "../shared/bar.js";
import { element } from "../shared/dom.js";
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
    const isMoved = this.#arrange(rows.map((row) => row.item));
    const height = reducedMotion.matches || !isMoved ? 0 : (rows[0]?.item.offsetHeight ?? 0);
    films.forEach((film, position) => {
      fillRow(rows[position], position + 1, scoresOf(film));
      const moved = (this.#positions.get(film) ?? position) - position;
      if (height && moved) glide(rows[position].item, moved * height);
    });
    this.#positions = new Map(films.map((film, position) => [film, position]));
  }

  /**
   * Put the items into the list, keep the focus, and return whether anything changed.
   * @param {HTMLElement[]} items
   */
  #arrange(items) {
    const { children } = this.#list;
    const isSame = items.every((item, position) => children[position] === item);
    if (isSame && items.length === children.length) return false;
    const focused = document.activeElement;
    const hadFocus = this.#list.contains(focused);
    this.#list.replaceChildren(...items);
    if (hadFocus && focused instanceof HTMLElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
    return !isSame;
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
 * Move an item from where it was to where it is.
 * @param {HTMLElement} item
 * @param {number} pixels
 */
function glide(item, pixels) {
  item.animate([{ transform: `translateY(${pixels}px)` }, { transform: "none" }], ANIMATION);
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
  const line = element("span", { class: "line" }, bar.svg, score);
  const snippet = element("span", { class: "snippet" }, movie.sentence ?? "");
  const text = element("span", { class: "text" }, name, line, snippet);
  const button = element("button", { type: "button", "data-film": film }, rank, tile, text);
  return { item: element("li", {}, button), rank, score, bar };
}

/**
 * @param {Row} row
 * @param {number} rank
 * @param {RowScores} scores
 */
function fillRow(row, rank, { keyword, semantic, score }) {
  row.rank.textContent = String(rank);
  row.score.textContent = score === null ? "" : formatScore(score);
  fillBar(row.bar, keyword, semantic);
}
