// @ts-check
// Choosing the columns: what the slider and the fusion show is kept as a column of its own name.

import { find } from "../shared/dom.js";
import { MAX_RUNS, parseRun } from "../shared/runs.js";
import { runsOf } from "./runs.js";

/** @import { View } from "../shared/url.js" */
/** @import { RankedView, Update } from "./state.js" */

const form = find("#keep", document, HTMLFormElement);
const field = find("input", form, HTMLInputElement);
const button = find("button", form, HTMLButtonElement);

/**
 * Add a column when the form is submitted.
 * @param {() => RankedView} seen
 * @param {Update} update
 */
export function listenToRunForm(seen, update) {
  field.addEventListener("input", () => field.setCustomValidity(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { view, fusion, alpha } = seen();
    const runs = runsOf(view);
    const name = field.value.trim().replaceAll(" ", "-") || field.placeholder;
    const text = `${name}:hybrid,${fusion},${Number(alpha.toFixed(5))}`;
    if (!parseRun(text)) field.setCustomValidity("Use letters, digits and _ . , + - in a name");
    else if (runs.some((run) => run.name === name)) field.setCustomValidity("There is one already");
    if (!form.reportValidity()) return;
    field.value = "";
    update({ runs: [...runs.map((run) => run.text), text] });
  });
}

/**
 * Say what would be kept.
 * @param {RankedView} ranked
 */
export function drawRunForm({ view, fusion, alpha }) {
  field.placeholder = `${fusion}-${Math.round(100 * alpha)}`;
  button.disabled = runsOf(view).length >= MAX_RUNS;
}

/**
 * Return the columns of a view without one of them.
 * @param {View} view
 * @param {string} name
 */
export function without(view, name) {
  return runsOf(view)
    .filter((run) => run.name !== name)
    .map((run) => run.text);
}
