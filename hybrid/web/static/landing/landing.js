// @ts-check
// The comparison that plays on the landing page: the weight goes slowly from words to meaning and
// back, and the films take their places. It does not play where the user wishes no motion, and
// stops where the slider is taken or a film has the focus.

import { find } from "../shared/dom.js";
import { fetchComparison } from "../side-by-side/api.js";
import { Comparison } from "../side-by-side/comparison.js";
import { createCovers } from "./covers.js";

/** Milliseconds from words alone to meaning alone. */
const SWEEP_MS = 16_000;

/** Milliseconds between two places of the weight. */
const STEP_MS = 200;

const row = find("#stage");
const slider = find("#weight", document, HTMLInputElement);
const button = find("#play", document, HTMLButtonElement);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** What plays: a timer, 0 while it rests, and which way the weight goes. */
const state = { timer: 0, direction: 1 };

/** @param {(alpha: number) => void} show */
function step(show) {
  const alpha = slider.valueAsNumber + (state.direction * STEP_MS) / SWEEP_MS;
  if (alpha <= 0 || alpha >= 1) state.direction = -state.direction;
  slider.value = String(alpha);
  show(slider.valueAsNumber);
}

/** @param {(alpha: number) => void} show */
function play(show) {
  state.timer = setInterval(() => step(show), STEP_MS);
  button.textContent = "Pause";
}

function rest() {
  clearInterval(state.timer);
  state.timer = 0;
  button.textContent = "Play";
}

async function start() {
  const query = new URLSearchParams({ q: row.dataset.query ?? "" });
  const comparison = new Comparison(await fetchComparison(query));
  const show = createCovers(row, comparison, query);
  slider.disabled = button.hidden = false;
  slider.value = String(calm.matches ? comparison.autoAlpha : 0);
  show(slider.valueAsNumber);
  slider.addEventListener("input", () => {
    rest();
    show(slider.valueAsNumber);
  });
  button.addEventListener("click", () => (state.timer ? rest() : play(show)));
  row.addEventListener("focusin", rest);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) rest();
  });
  if (calm.matches) rest();
  else play(show);
}

try {
  await start();
} catch {
  find(".stage").hidden = true; // the search works without it
}
