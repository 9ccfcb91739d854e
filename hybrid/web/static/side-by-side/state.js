// @ts-check
// The state of the page. All that is drawn follows from it and from the comparison, and `update` is
// what changes it.

import { debounce, oncePerFrame } from "../shared/timing.js";
import { parseView, viewURL } from "../shared/url.js";

/** @import { View } from "../shared/url.js" */
/** @import { Comparison, Rankings } from "./comparison.js" */

/**
 * @typedef {object} Focus
 * @property {HTMLElement | null} opener  what the explanation was opened from
 * @property {boolean} onExplanation  whether the focus follows when the explanation opens
 */

/** @typedef {{ view: View, focus: Focus }} State */

/** @typedef {(view: Partial<View>, focus?: Focus) => void} Update */

/**
 * What is drawn: a view, its weights, and the rankings that these give.
 * @typedef {object} RankedView
 * @property {View} view
 * @property {string} fusion
 * @property {number} alpha
 * @property {Rankings} rankings
 */

/** Milliseconds without a change after which a view becomes a step of the history. */
const REST_MS = 400;

/** Milliseconds without a change after which the details are drawn. */
const DETAILS_MS = 100;

/**
 * Return the state, what changes it, and what takes it from the URL.
 * @param {Comparison} comparison
 * @param {(ranked: RankedView) => void} draw  called once per frame, however often the view changes
 * @param {(ranked: RankedView) => void} drawDetails  called when the view has not changed for a moment
 * @param {(view: View) => void} onRest  called when the view has come to rest
 */
export function createState(comparison, draw, drawDetails, onRest) {
  /** @type {State} */
  const state = {
    view: parseView(location.search),
    focus: { opener: null, onExplanation: false },
  };
  const ranked = () => {
    const weights = comparison.weights(state.view);
    return { view: state.view, ...weights, rankings: comparison.rankings(weights) };
  };
  const drawNow = () => draw(ranked());
  const drawLater = oncePerFrame(drawNow);
  const detailsLater = debounce(() => drawDetails(ranked()), DETAILS_MS);
  const rest = debounce(() => {
    const url = viewURL(location.search, state.view);
    const { film, open } = parseView(location.search);
    // Another film is a step of the history; another place of the slider is none.
    const isStep = film !== state.view.film || open !== state.view.open;
    if (url !== location.search) history[isStep ? "pushState" : "replaceState"](null, "", url);
    onRest(state.view);
  }, REST_MS);

  /** @type {Update} */
  const update = (view, focus = state.focus) => {
    Object.assign(state, { view: { ...state.view, ...view }, focus });
    drawLater();
    detailsLater();
    rest();
  };
  const restore = () => {
    rest.cancel();
    detailsLater.cancel();
    state.view = parseView(location.search);
    drawNow();
    drawDetails(ranked());
    onRest(state.view);
  };
  return { state, update, restore, ranked };
}
