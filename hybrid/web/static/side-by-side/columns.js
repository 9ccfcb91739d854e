// @ts-check
// The columns side by side, the lines between them, and the film that is lit in all of them.

import { element, find, shape } from "../shared/dom.js";
import { MIN_RUNS } from "../shared/runs.js";
import { Column } from "./column.js";
import { drawLines } from "./lines.js";

/** @import { Run } from "../shared/runs.js" */
/** @import { RowScores } from "./column.js" */
/** @import { Comparison } from "./comparison.js" */
/** @import { RankedRun } from "./runs.js" */
/** @import { View } from "../shared/url.js" */

/** Fusion methods whose scores have no fixed scale: bars are then shares of the best score. */
const UNBOUNDED = ["z_score", "rrf"];

/** Columns from which on a row has room for little more than a title. */
const CROWDED = 5;

/** Columns from which on a phone shows one alone. */
const MANY = 4;

const SAYS = { keyword: "by words", hybrid: "by both", semantic: "by meaning" };

const columns = find(".columns");

/** @typedef {ReturnType<typeof createSection>} Section */

/**
 * Return a function that draws the runs of a view as columns.
 * @param {Comparison} comparison
 */
export function createColumns(comparison) {
  const { limit } = comparison;
  /** @type {{ texts: string, sections: Section[] }} */
  const built = { texts: "", sections: [] };
  /** What was pressed and open: a move of the slider changes neither, but may show a chosen film. */
  const pressed = { state: "" };

  /** @type {(runs: RankedRun[], view: View) => void} */
  return (runs, view) => {
    const texts = runs.map(({ run }) => run.text).join(" ");
    if (texts !== built.texts) {
      const sections = runs.map(({ run }) => createSection(run, runs.length, comparison));
      Object.assign(built, { texts, sections });
      arrange(sections);
    }
    const tops = built.sections.map(({ column, empty }, index) => {
      const { run, rankings } = runs[index];
      const top = rankings[run.mode].slice(0, limit);
      column.show(top, rowScores(comparison, runs[index]));
      empty.hidden = top.length > 0;
      return top;
    });
    const rows = Math.max(...tops.map((top) => top.length));
    columns.querySelectorAll(".lines").forEach((lines, index) => {
      if (!(lines instanceof SVGElement)) return;
      drawLines(lines, tops[index], tops[index + 1], rows);
      lines.style.setProperty("--rows", String(rows));
    });
    const state = [texts, view.film, view.open].join(" ");
    if (view.film || state !== pressed.state) press(view.film, open(built.sections, view.open));
    pressed.state = state;
  };
}

/**
 * @param {Run} run
 * @param {number} number  of runs
 * @param {Comparison} comparison
 */
function createSection(run, number, { movies }) {
  const { name, mode } = run;
  const isNamed = name !== mode;
  const title = isNamed ? name : mode[0].toUpperCase() + mode.slice(1);
  const says = isNamed
    ? [mode, run.fusion, run.alpha].filter((part) => part !== null)
    : [SAYS[mode]];
  const list = element("ol");
  const empty = element("p", { class: "none", hidden: true }, "no film");
  const remove = element(
    "button",
    { type: "button", class: "remove", "data-remove": name, "aria-label": `Remove ${title}` },
    "×",
  );
  const head = element(
    "h2",
    { id: `head-${name}` },
    element("button", { type: "button", "data-open": name }, title),
    " ",
    element("small", {}, says.join(" ")),
    number > MIN_RUNS ? remove : "",
  );
  const part = element(
    "section",
    { class: `column ${mode}`, "aria-labelledby": `head-${name}`, "data-run": name },
    head,
    list,
    empty,
  );
  return { name, part, empty, column: new Column(list, movies) };
}

/**
 * Put the columns beside each other, with lines between them.
 * @param {Section[]} sections
 */
function arrange(sections) {
  const opens = element(
    "p",
    { class: "opens" },
    ...sections.map(({ name }) => element("button", { type: "button", "data-open": name }, name)),
  );
  const parts = sections.flatMap(({ part }, index) => (index ? [gutter(), part] : [part]));
  columns.replaceChildren(...(sections.length >= MANY ? [opens, ...parts] : parts));
  columns.classList.toggle("many", sections.length >= MANY);
  find(".with-aside").classList.toggle("crowded", sections.length >= CROWDED);
  columns.style.setProperty("--others", String(sections.length - 1));
  const wide = "minmax(0, 1fr)";
  const others = sections.slice(1).map(() => `var(--gutter) ${wide}`);
  columns.style.setProperty("--columns", [wide, ...others].join(" "));
}

function gutter() {
  const lines = shape("svg", {
    class: "lines",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  return element("div", { class: "gutter" }, element("p"), lines);
}

/**
 * Return what the rows of a column show.
 * @param {Comparison} comparison
 * @param {RankedRun} ranked
 * @returns {(film: string) => RowScores}
 */
function rowScores(comparison, { run, fusion, alpha, rankings }) {
  const { movies } = comparison;
  const { mode } = run;
  if (mode !== "hybrid") {
    return (film) => ({
      keyword: 0,
      semantic: 0,
      [mode]: movies[film][mode],
      score: movies[film][mode],
    });
  }
  const scale = UNBOUNDED.includes(fusion) ? rankings.scores[rankings.order[0]] : 1;
  return (film) => {
    const parts = comparison.scoreParts(rankings, alpha, film);
    return {
      keyword: parts.weightedKeyword / scale,
      semantic: parts.weightedSemantic / scale,
      score: parts.score,
    };
  };
}

/**
 * Make a column the wide one on a narrow screen, and return its name.
 * @param {Section[]} sections
 * @param {string} name
 */
function open(sections, name) {
  const wide = sections.find((section) => section.name === name) ?? sections[0];
  const widths = sections.map((section) => (section === wide ? "minmax(0, 1fr)" : "3.1rem"));
  columns.style.setProperty("--phone", widths.join(" 1.3rem "));
  for (const { part } of sections) part.classList.toggle("open", part === wide.part);
  return wide.name;
}

/**
 * Show which film is explained, and which column is open on a narrow screen.
 * @param {string | null} film
 * @param {string} opened
 */
function press(film, opened) {
  for (const button of columns.querySelectorAll("button")) {
    if (button.dataset.remove) continue;
    const isPressed = button.dataset.open ? button.dataset.open === opened : isOf(button, film);
    button.setAttribute("aria-pressed", String(isPressed));
  }
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
  columns.querySelectorAll(".gutter p").forEach((common, index) => {
    common.replaceChildren(element("b", {}, String(counts[index])), "in both");
  });
}
