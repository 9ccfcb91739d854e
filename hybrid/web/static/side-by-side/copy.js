// @ts-check
// The comparison as others can use it: a command, what the service answers, a table.

import { element, find } from "../shared/dom.js";
import { compareURL, queryFields } from "../shared/url.js";
import { rankedRuns } from "./runs.js";

/** @import { Comparison } from "./comparison.js" */
/** @import { RankedRun } from "./runs.js" */
/** @import { RankedView } from "./state.js" */

/**
 * Let the buttons copy what is seen when they are pressed.
 * @param {Comparison} comparison
 * @param {() => RankedView} seen
 */
export function listenToCopy(comparison, seen) {
  const runs = () => rankedRuns(comparison, seen());
  /** @type {Record<string, () => string | Promise<string>>} */
  const texts = {
    curl: () => `curl '${new URL(seenURL(runs()), location.href).href.replaceAll("'", "%27")}'`,
    JSON: async () => (await fetch(seenURL(runs()))).text(),
    CSV: () => csv(comparison, runs()),
  };
  find("#copy").replaceChildren(
    "Copy as ",
    ...Object.entries(texts).map(([name, text]) => copyButton(name, text)),
  );
}

/**
 * Return the URL of the comparison that is seen.
 * @param {RankedRun[]} runs
 */
function seenURL(runs) {
  const texts = runs.map(({ run: { name, mode }, fusion, alpha }) =>
    mode === "hybrid" ? `${name}:${mode},${fusion},${alpha}` : `${name}:${mode}`,
  );
  return compareURL(queryFields(location.search), texts);
}

/**
 * @param {string} name
 * @param {() => string | Promise<string>} text
 */
function copyButton(name, text) {
  const button = element("button", { type: "button", class: "button" }, name);
  button.addEventListener("click", async () => {
    const status = find("#status");
    try {
      await navigator.clipboard.writeText(await text());
      status.textContent = button.textContent = `${name} copied`;
    } catch {
      status.textContent = button.textContent = `${name} not copied`;
    }
    setTimeout(() => {
      button.textContent = name;
    }, 2000);
  });
  return button;
}

/**
 * Return the films of each column as lines of comma-separated values (RFC 4180).
 * @param {Comparison} comparison
 * @param {RankedRun[]} runs
 */
function csv({ movies, limit }, runs) {
  const rows = runs.flatMap(({ run, rankings }) =>
    rankings[run.mode].slice(0, limit).map((film, place) => {
      const { title, year, keyword, semantic } = movies[film];
      return [run.name, place + 1, film, title, year, keyword, semantic];
    }),
  );
  const head = ["ranking", "rank", "id", "title", "year", "words", "meaning"];
  return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/** @param {string | number | null} value */
function quoted(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
