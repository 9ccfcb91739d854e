// @ts-check
// The panel that explains a film's rank: its ranks and scores at once, and what the service says,
// which is requested when the view has come to rest.

import { barOf } from "../shared/bar.js";
import { element, find, shape } from "../shared/dom.js";
import { filmURL, queryFields, tileURL } from "../shared/url.js";
import { fetchExplanation } from "./api.js";
import { MODES } from "./comparison.js";
import { endSentence, formatHundredths, formatScore } from "./format.js";
import { sentencePieces } from "./marks.js";

/** @import { Child } from "../shared/dom.js" */
/** @import { CandidateMovie, ExplainHit, KeywordWhy, Why } from "./api.js" */
/** @import { Mode } from "../shared/runs.js" */
/** @import { Comparison, Rankings } from "./comparison.js" */
/** @import { RankedView } from "./state.js" */

const panel = find("#why");

/** What the panel shows: a film, and the URL that its explanation came or will come from. */
const shown = { film: "", url: "" };

/**
 * Show the film of the view, or hide the panel if there is none.
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 * @param {() => void} close
 */
export function drawExplanation(comparison, ranked, close) {
  const { film } = ranked.view;
  const movie = film && comparison.movies[film];
  panel.hidden = !movie;
  if (!movie) return;
  if (film !== shown.film) {
    Object.assign(shown, { film, url: "" });
    panel.replaceChildren(
      header(film, movie, close),
      element("div", { class: "sums" }),
      element("div", { class: "words", "aria-live": "polite" }),
    );
  }
  find(".sums", panel).replaceChildren(
    rankList(film, movie, ranked.rankings),
    sum(comparison, ranked, film),
  );
}

/**
 * Complete the panel by what the service says at `url`, unless it shows it already.
 * @param {string} url
 */
export async function loadExplanation(url) {
  if (shown.url === url) return;
  shown.url = url;
  const hit = await fetchExplanation(url);
  if (shown.url !== url) return; // another one was requested meanwhile
  if (!hit) shown.url = "";
  const failure = "The explanation could not be loaded; the figures above are not affected.";
  find(".words", panel).replaceChildren(
    ...(hit ? explanation(hit) : [element("p", { class: "soft" }, failure)]),
  );
}

/** Move the focus into the panel. */
export function focusExplanation() {
  panel.querySelector("h2")?.focus();
}

/**
 * @param {string} film
 * @param {CandidateMovie} movie
 * @param {() => void} close
 */
function header(film, movie, close) {
  const button = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  button.addEventListener("click", close);
  const query = queryFields(location.search);
  const facts = [movie.year, movie.genres.join(", ")].filter(Boolean).join(" · ");
  return element(
    "header",
    {},
    element("img", { class: "tile", src: tileURL(film), alt: "", width: 60, height: 90 }),
    element(
      "div",
      {},
      element("h2", { tabindex: -1 }, movie.title),
      element("p", {}, facts),
      element("p", {}, element("a", { href: filmURL(film, query) }, "The film’s page")),
    ),
    button,
  );
}

/**
 * Return the film's rank in each ranking, with its score on that side.
 * @param {string} film
 * @param {CandidateMovie} movie
 * @param {Rankings} rankings
 */
function rankList(film, movie, rankings) {
  /** @param {Mode} name */
  const score = (name) => {
    if (name === "hybrid") return "";
    const value = movie[name];
    return value === null ? "no score" : formatScore(value);
  };
  return element(
    "dl",
    { class: "ranks" },
    ...MODES.map((name) => {
      const rank = rankings[name].indexOf(film) + 1;
      return element(
        "div",
        { class: name },
        element("dt", {}, name),
        element("dd", {}, rank ? `rank ${rank}` : "not listed"),
        element("dd", {}, score(name)),
      );
    }),
  );
}

/**
 * Return how the score is computed, with the scores of both sides in their colours.
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 * @param {string} film
 */
function sum(comparison, { rankings, alpha, fusion }, film) {
  const parts = comparison.scoreParts(rankings, alpha, film);
  /** @param {number} share */
  const weight = (share) => Number(share.toFixed(4));
  return element(
    "p",
    { class: "sum" },
    parts.factor === 1 ? "" : `${parts.factor} × (`,
    `${weight(1 - alpha)} × `,
    element("span", { class: "of-keyword" }, formatScore(parts.keyword)),
    ` + ${weight(alpha)} × `,
    element("span", { class: "of-semantic" }, formatScore(parts.semantic)),
    parts.factor === 1 ? "" : ")",
    parts.gained ? ` + ${formatScore(parts.gained)}` : "",
    ` = ${formatScore(parts.score)}`,
    element("small", {}, fusion === "attainable" ? "" : ` ${fusion}`),
  );
}

/**
 * Return what the service says: a summary, the words of the query, the sentences that count.
 * @param {ExplainHit} hit
 * @returns {Node[]}
 */
function explanation({ movie, why, highlight }) {
  const text = movie.description ?? "";
  const sentences = (why.semantic?.sentences ?? []).map(({ sentence, cosine, weight }) => {
    const pieces = sentencePieces(text, sentence, highlight.description);
    const share = weight === 1 ? "" : `, counts ${Math.round(100 * weight)}%`;
    return element(
      "blockquote",
      {},
      ...pieces.map((piece) => (piece.isMarked ? element("mark", {}, piece.text) : piece.text)),
      element("small", {}, ` cosine ${formatScore(cosine)}${share}`),
    );
  });
  const summary = element("p", {}, endSentence(`${movie.title} ${why.summary}`));
  return [summary, ...wordTable(why), ...sentences];
}

/**
 * A word of the query, and what it adds on either side; undefined where it adds nothing.
 * @typedef {{ word: string, share?: number, drop?: number }} Word
 */

/**
 * Return the words of the query, in the order of the semantic side and then of the keyword side.
 * Both sides name a word by the term that is searched for.
 * @param {Why} why
 * @returns {Word[]}
 */
function queryWords({ keyword, semantic }) {
  /** @type {Map<string, Word>} */
  const words = new Map();
  for (const { word, term, drop } of semantic?.words ?? []) {
    const known = words.get(term) ?? { word };
    words.set(term, { ...known, drop: (known.drop ?? 0) + drop });
  }
  for (const { word, term, share } of keyword?.terms ?? []) {
    words.set(term, { word, ...words.get(term), share });
  }
  const known = new Set([...words.values()].map(({ word }) => word));
  const missing = (keyword?.not_found ?? []).filter((word) => !known.has(word));
  return [...words.values(), ...missing.map((word) => ({ word }))];
}

/**
 * Return a table of what each word of the query adds; nothing where there is no word.
 * @param {Why} why
 */
function wordTable(why) {
  const words = queryWords(why);
  if (!words.length) return [];
  const maxShare = Math.max(0.01, ...words.map(({ share }) => share ?? 0));
  const maxDrop = Math.max(0.01, ...words.map(({ drop }) => drop ?? 0));
  const rows = words.map(({ word, share, drop }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, word),
      element("td", {}, ...measure("keyword", share, maxShare, absence(why.keyword))),
      element("td", {}, ...measure("semantic", drop, maxDrop, "–")),
    ),
  );
  const heads = ["word", "in its text", "in meaning"].map((text) =>
    element("th", { scope: "col" }, text),
  );
  return [
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...rows),
    ),
  ];
}

/**
 * Return the sign for a word without a share: not in the text, or not known.
 * @param {KeywordWhy | null} keyword
 */
function absence(keyword) {
  return keyword && keyword.terms === null ? "?" : "–";
}

/**
 * Return a bar and its value.
 * @param {"keyword" | "semantic"} side
 * @param {number | undefined} value
 * @param {number} maximum
 * @param {string} absent  instead of a value
 * @returns {Child[]}
 */
function measure(side, value, maximum, absent) {
  if (value === undefined) return [element("span", { class: "soft" }, absent)];
  const width = (100 * Math.max(value, 0)) / maximum;
  const bar = barOf(shape("rect", { class: side, width, height: 8 }));
  return [bar, formatHundredths(value)];
}
