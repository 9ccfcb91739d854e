// @ts-check
// The comparison as others can use it: a command, what the service answers, a table.

import { element, find } from "../shared/dom.js";
import { compareURL, queryFields } from "../shared/url.js";
import { COLUMNS } from "./comparison.js";

/** @import { Comparison } from "./comparison.js" */
/** @import { RankedView } from "./state.js" */

/**
 * Let the buttons copy what is seen when they are pressed.
 * @param {Comparison} comparison
 * @param {() => RankedView} seen
 */
export function listenToCopy(comparison, seen) {
  /** @type {Record<string, () => string | Promise<string>>} */
  const texts = {
    curl: () => `curl '${new URL(seenURL(seen()), location.href).href.replaceAll("'", "%27")}'`,
    JSON: async () => (await fetch(seenURL(seen()))).text(),
    CSV: () => csv(comparison, seen()),
  };
  find("#copy").replaceChildren(
    "Copy as ",
    ...Object.entries(texts).map(([name, text]) => copyButton(name, text)),
  );
}

/**
 * Return the URL of the comparison that is seen.
 * @param {RankedView} ranked
 */
function seenURL({ fusion, alpha }) {
  const runs = COLUMNS.map((mode) =>
    mode === "hybrid" ? `hybrid:${mode},${fusion},${alpha}` : mode,
  );
  return compareURL(queryFields(location.search), runs);
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
 * @param {RankedView} ranked
 */
export function csv({ movies, limit }, { rankings }) {
  const rows = COLUMNS.flatMap((column) =>
    rankings[column].slice(0, limit).map((film, place) => {
      const { title, year, keyword, semantic } = movies[film];
      return [column, place + 1, film, title, year, keyword, semantic];
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
