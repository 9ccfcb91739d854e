// @ts-check
// The page that compares three rankings: what the user does changes the state, and what is drawn
// follows from the state.

import { closest, element, find } from "../shared/dom.js";
import { explainURL, queryFields } from "../shared/url.js";
import { drawAgreement } from "./agreement-table.js";
import { fetchComparison } from "./api.js";
import { createColumns, focusFilm, light } from "./columns.js";
import { Comparison } from "./comparison.js";
import { listenToCopy } from "./copy.js";
import { drawCurve } from "./curve.js";
import { drawExplanation, focusExplanation, loadExplanation } from "./explanation.js";
import { listenToForm, passOn } from "./form.js";
import { sentence } from "./format.js";
import { drawOneSided } from "./one-sided.js";
import { drawRunForm, listenToRunForm, without } from "./run-form.js";
import { rankedRuns } from "./runs.js";
import { createState } from "./state.js";
import { drawSwaps, drawWeights, listenToWeights } from "./weights.js";

/** @import { RankedView, State, Update } from "./state.js" */
/** @import { View } from "../shared/url.js" */

async function start() {
  const waiting = find("#waiting");
  /** @type {Comparison} */
  let comparison;
  try {
    comparison = new Comparison(await fetchComparison(queryFields(location.search)));
  } catch (error) {
    waiting.replaceWith(failure(error));
    return;
  }
  waiting.remove();
  find(".bench").hidden = false;
  drawNotices(comparison);
  run(comparison);
  // A link may explain a film that is further down.
  const lit = document.querySelector(".hybrid .lit") ?? document.querySelector(".columns .lit");
  lit?.scrollIntoView({ block: "nearest" });
  find("#status").textContent = `${comparison.size} films compared`;
}

/**
 * Connect the state with what is drawn and with what the user does.
 * @param {Comparison} comparison
 */
function run(comparison) {
  const drawColumns = createColumns(comparison);

  /** @param {RankedView} ranked */
  const draw = (ranked) => {
    drawColumns(rankedRuns(comparison, ranked), ranked.view);
    drawWeights(comparison, ranked);
    drawCurve(comparison, ranked.fusion);
    drawExplanation(comparison, ranked, close);
    if (ranked.view.film && state.focus.onExplanation) focusExplanation();
    state.focus.onExplanation = false;
  };
  /** @param {RankedView} ranked */
  const drawDetails = (ranked) => {
    drawSwaps(comparison, ranked, update);
    drawAgreement(comparison, rankedRuns(comparison, ranked));
    drawRunForm(ranked);
    passOn(ranked.view);
  };
  /** @param {View} view */
  const explain = (view) => {
    if (!view.film || !comparison.movies[view.film]) return;
    const query = queryFields(location.search);
    loadExplanation(explainURL(view.film, query, comparison.weights(view)));
  };
  const close = () => {
    const { film } = state.view;
    update({ film: null });
    if (state.focus.opener?.isConnected) state.focus.opener.focus();
    else focusFilm(film);
  };
  const { state, update, restore, ranked } = createState(comparison, draw, drawDetails, explain);

  listenToWeights(update);
  listenToForm();
  listenToCopy(comparison, ranked);
  drawOneSided(comparison);
  listenToColumns(state, update);
  listenToRunForm(ranked, update);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.view.film) close();
  });
  addEventListener("popstate", restore);
  measureWeights();
  restore();
}

/**
 * @param {State} state
 * @param {Update} update
 */
function listenToColumns(state, update) {
  const columns = find(".columns");
  columns.addEventListener("click", (event) => {
    const opener = closest(event, "[data-film]");
    const film = opener?.getAttribute("data-film");
    const open = closest(event, "button[data-open]")?.getAttribute("data-open");
    if (film) {
      update(
        { film: film === state.view.film ? null : film },
        {
          opener: opener instanceof HTMLElement ? opener : null,
          onExplanation: event.detail === 0, // pressed by a key
        },
      );
    }
    if (open) update({ open });
    const remove = closest(event, "[data-remove]")?.getAttribute("data-remove");
    if (remove) update({ runs: without(state.view, remove) });
  });
  /** @param {Event} event */
  const lightTarget = (event) => {
    light(closest(event, "[data-film]")?.getAttribute("data-film") ?? state.view.film);
  };
  const lightView = () => light(state.view.film);
  for (const type of ["pointerover", "focusin"]) columns.addEventListener(type, lightTarget);
  for (const type of ["pointerleave", "focusout"]) columns.addEventListener(type, lightView);
}

/** Tell the style how high the controls are, which stay in sight above what scrolls. */
function measureWeights() {
  const weights = find(".weigh");
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--weigh", `${weights.offsetHeight}px`);
  }).observe(weights);
}

/** @param {Comparison} comparison */
function drawNotices({ degraded, warnings, size }) {
  const notices = warnings.map(sentence);
  if (degraded.includes("keyword")) {
    notices.unshift(
      "The keyword engine does not answer: films are found by their titles and their meaning alone.",
    );
  }
  if (degraded.includes("semantic")) {
    notices.unshift(
      "The semantic engine does not answer: films are found by their words and titles alone.",
    );
  }
  if (!size) notices.push("No films found: remove a genre or widen the years.");
  find("#notices").replaceChildren(
    ...notices.map((text) => element("p", { class: "notice" }, text)),
  );
}

/**
 * Return a notice in place of the comparison.
 * @param {unknown} error
 */
function failure(error) {
  const message = error instanceof Error ? error.message : String(error);
  return element(
    "div",
    { class: "notice problem", role: "alert" },
    element("h2", {}, "The rankings cannot be compared"),
    element("p", {}, sentence(message)),
    element("p", {}, element("a", { class: "button", href: location.href }, "Try again")),
  );
}

await start();
