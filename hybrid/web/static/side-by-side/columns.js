// @ts-check
// The three columns side by side, the lines between them, and the film that is lit in all of them.

import { element, find } from "../shared/dom.js";
import { Column } from "./column.js";
import { COLUMNS } from "./comparison.js";
import { drawLines } from "./lines.js";

/** @import { ColumnName } from "../shared/url.js" */
/** @import { RowScores } from "./column.js" */
/** @import { Comparison } from "./comparison.js" */
/** @import { RankedView } from "./state.js" */

/** Fusion methods whose scores have no fixed scale: bars are then shares of the best score. */
const UNBOUNDED = ["z_score", "rrf"];

const columns = find(".columns");
const gutters = [...columns.querySelectorAll(".gutter")].map((gutter) => ({
  lines: find("svg", gutter, SVGElement),
  common: find("p", gutter),
}));

/**
 * Return a function that draws the films of a view into the columns.
 * @param {Comparison} comparison
 */
export function createColumns(comparison) {
  const { movies, limit } = comparison;
  const sections = COLUMNS.map((name) => {
    const section = find(`.column.${name}`, columns);
    const column = new Column(find("ol", section), movies);
    return { name, column, empty: find(".none", section) };
  });

  /** @param {RankedView} ranked */
  return (ranked) => {
    const scores = rowScores(comparison, ranked);
    const tops = sections.map(({ name, column, empty }) => {
      const top = ranked.rankings[name].slice(0, limit);
      column.show(top, scores[name]);
      empty.hidden = top.length > 0;
      return top;
    });
    const rows = Math.max(...tops.map((top) => top.length));
    gutters.forEach(({ lines }, index) => {
      drawLines(lines, tops[index], tops[index + 1], rows);
      lines.style.setProperty("--rows", String(rows));
    });
    press(ranked.view.film, ranked.view.open);
  };
}

/**
 * Return what the rows of each column show.
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 * @returns {Record<ColumnName, (film: string) => RowScores>}
 */
function rowScores(comparison, { fusion, alpha, rankings }) {
  const { movies } = comparison;
  const scale = UNBOUNDED.includes(fusion) ? rankings.scores[rankings.order[0]] : 1;
  return {
    keyword: (film) => ({
      keyword: movies[film].keyword,
      semantic: 0,
      score: movies[film].keyword,
    }),
    semantic: (film) => ({
      keyword: 0,
      semantic: movies[film].semantic,
      score: movies[film].semantic,
    }),
    hybrid: (film) => {
      const parts = comparison.scoreParts(rankings, alpha, film);
      return {
        keyword: parts.weightedKeyword / scale,
        semantic: parts.weightedSemantic / scale,
        score: parts.score,
      };
    },
  };
}

/**
 * Show which film is explained, and which column is open on a narrow screen.
 * @param {string | null} film
 * @param {ColumnName} open
 */
function press(film, open) {
  for (const button of columns.querySelectorAll("button")) {
    const isPressed = button.dataset.open ? button.dataset.open === open : isOf(button, film);
    button.setAttribute("aria-pressed", String(isPressed));
  }
  columns.dataset.open = open;
  light(film);
}

/**
 * Light a film in all columns, with its lines, or none.
 * @param {string | null} film
 */
export function light(film) {
  for (const part of columns.querySelectorAll(".lit")) part.classList.remove("lit");
  const parts = [...columns.querySelectorAll("[data-film]")].filter((part) => isOf(part, film));
  for (const part of parts) part.classList.add("lit");
  columns.classList.toggle("lighting", parts.length > 0);
}

/**
 * @param {Element} part
 * @param {string | null} film
 */
function isOf(part, film) {
  return part.getAttribute("data-film") === film;
}

/**
 * Move the focus to a film, or to the columns if none shows it.
 * @param {string | null} film
 */
export function focusFilm(film) {
  const button = [...columns.querySelectorAll("button")].find((one) => isOf(one, film));
  (button ?? columns).focus();
}

/**
 * Write between the columns how many films both of them show.
 * @param {number[]} counts
 */
export function drawCommon(counts) {
  gutters.forEach(({ common }, index) => {
    common.replaceChildren(element("b", {}, String(counts[index])), "in both");
  });
}
