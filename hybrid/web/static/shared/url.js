// @ts-check
// The URLs of the pages and of the service. They are built and read here alone.

import { DEFAULT_RUNS, parseRun, parseRuns } from "./runs.js";

/** Parameters that GET /compare takes from the URL of the page. */
const QUERY_FIELDS = [
  "q",
  "genre",
  "genre_match",
  "exclude_genre",
  "country",
  "language",
  "director",
  "actor",
  "year_from",
  "year_to",
  "rating_from",
  "rating_to",
  "votes_from",
  "votes_to",
  "duration_from",
  "duration_to",
  "phrase",
  "exclude",
  "title",
  "person",
  "understand",
  "limit",
  "require",
];
const DEFAULT_LIMIT = "20";
const DEFAULT_OPEN = "hybrid";

/**
 * What the user chose on the comparison page. A link contains all of it, so it shows others the same.
 * @typedef {object} View
 * @property {string | null} fusion  null for the server's choice
 * @property {number | null} alpha  semantic share, 0 to 1; null for the server's choice
 * @property {string | null} film  id of the film that is explained
 * @property {string} open  the name of the column that is wide on a narrow screen
 * @property {string[]} runs  the columns as they stand in the URL; none for words, both and meaning
 */

/**
 * Return the query in a URL's query string, as GET /compare takes it.
 * @param {string} search
 */
export function queryFields(search) {
  const fields = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(search)) {
    if (QUERY_FIELDS.includes(name) && value.trim()) fields.append(name, value);
  }
  if (!fields.has("limit")) fields.set("limit", DEFAULT_LIMIT);
  return fields;
}

/**
 * Return the view in a URL's query string. What is not valid counts as not given.
 * @param {string} search
 * @returns {View}
 */
export function parseView(search) {
  const fields = new URLSearchParams(search);
  const alpha = Number.parseFloat(fields.get("alpha") ?? "");
  const film = fields.get("film") ?? "";
  return {
    fusion: fields.get("fusion") || null,
    alpha: alpha >= 0 && alpha <= 1 ? alpha : null,
    film: /^\d+$/.test(film) ? film : null,
    open: opened(fields),
    runs: parseRuns(fields),
  };
}

/**
 * Return the name of the column that is open: that of the URL if there is one of this name.
 * @param {URLSearchParams} fields
 */
function opened(fields) {
  const runs = parseRuns(fields);
  const names = (runs.length ? runs : DEFAULT_RUNS).map((text) => parseRun(text)?.name);
  const open = fields.get("open") ?? DEFAULT_OPEN;
  return names.includes(open) ? open : DEFAULT_OPEN;
}

/**
 * Return the query string with these fields of the view replaced; a default is left out.
 * @param {string} search
 * @param {Partial<View>} view
 */
export function viewURL(search, view) {
  const fields = new URLSearchParams(search);
  const { runs, ...rest } = view;
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || (name === "open" && value === DEFAULT_OPEN)) fields.delete(name);
    else fields.set(name, String(value));
  }
  if (runs) {
    fields.delete("run");
    for (const run of runs) fields.append("run", run);
  }
  return `?${fields}`;
}

/**
 * Return the URL that submitting a search form leads to, without its empty fields.
 * @param {HTMLFormElement} form
 */
export function formURL(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value.trim()) fields.append(name, value);
  }
  return `${form.getAttribute("action")}?${fields}`;
}

/**
 * @param {URLSearchParams} query
 * @param {string[]} [runs]  without it the service compares all three
 */
export function compareURL(query, runs = []) {
  const fields = [...query, ...runs.map((run) => ["run", run])];
  return `/compare?${new URLSearchParams(fields)}`;
}

/**
 * @param {string} film
 * @param {URLSearchParams} query
 * @param {{ fusion: string, alpha: number }} weights
 */
export function explainURL(film, query, { fusion, alpha }) {
  const fields = new URLSearchParams(query);
  fields.set("fusion", fusion);
  fields.set("alpha", String(alpha));
  fields.set("highlight", "true");
  return `/explain/${film}?${fields}`;
}

/**
 * Return the URL of a film's page, which marks what the query finds in it.
 * @param {string} film
 * @param {URLSearchParams} query
 */
export function filmURL(film, query) {
  const fields = new URLSearchParams(query);
  fields.delete("limit");
  return `/films/${film}?${fields}`;
}

/**
 * Return the URL of the suggestions for what is typed.
 * @param {string} typed
 */
export function suggestURL(typed) {
  return `/suggest?${new URLSearchParams({ q: typed })}`;
}

/**
 * Return the URL of a film's picture: its poster, or its tile where it has none.
 * @param {string} film
 */
export function tileURL(film) {
  return `/tiles/${film}`;
}

/**
 * Return the URL of the drawn tile in place of a poster; null if `src` is not a poster's.
 * @param {string} src
 */
export function drawnTileURL(src) {
  const { pathname, search } = new URL(src);
  return pathname.startsWith("/tiles/") && !search ? `${pathname}?drawn` : null;
}
