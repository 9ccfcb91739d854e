// @ts-check
// The form above the columns. A new query keeps the fusion and the alpha of the view.

import { element, find } from "../shared/dom.js";
import { parseView, viewURL } from "../shared/url.js";

/** @import { View } from "../shared/url.js" */

const form = find("form.search-form", document, HTMLFormElement);

/** Submit the form when a filter changes, and leave its empty fields out of the URL. */
export function listenToForm() {
  form.addEventListener("change", ({ target }) => {
    const name = target instanceof HTMLInputElement ? target.name : "";
    if (!name || name === "q") return;
    const { film } = parseView(location.search); // it stays explained among fewer films
    if (film) form.append(element("input", { type: "hidden", name: "film", value: film }));
    form.requestSubmit();
  });
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of new Set(formData.keys())) {
      const values = formData.getAll(name).map(String);
      formData.delete(name);
      for (const value of values) if (value.trim()) formData.append(name, value);
    }
  });
}

/**
 * Write the weights of a view into the form and into the links to the other pages.
 * @param {View} view
 */
export function passOn({ fusion, alpha, runs }) {
  for (const [name, value] of Object.entries({ fusion, alpha })) {
    form.querySelector(`input[name=${name}]`)?.remove();
    if (value !== null) form.append(element("input", { type: "hidden", name, value }));
  }
  for (const field of form.querySelectorAll("input[name=run]")) field.remove();
  for (const value of runs) form.append(element("input", { type: "hidden", name: "run", value }));
  for (const link of document.querySelectorAll("nav a")) {
    if (link instanceof HTMLAnchorElement)
      link.search = viewURL(link.search, { fusion, alpha, runs });
  }
}
