// @ts-check
// Genres, years and modes change the results at once, and the focus stays where it is. Without this
// script the form is submitted like any other.

import { find } from "../shared/dom.js";
import { debounce } from "../shared/timing.js";
import { formURL } from "../shared/url.js";

/** Milliseconds without a key press before a year counts as typed. */
const TYPING_MS = 350;

const form = find("form.search-form", document, HTMLFormElement);
const query = find("#q", form, HTMLInputElement);

/** What is shown, or requested to be: only the latest request counts. */
const state = { url: pageURL(), request: new AbortController() };

const submitTyped = debounce(submit, TYPING_MS);

function pageURL() {
  return location.pathname + location.search;
}

/** Show the results of what the form says, unless they are shown already. */
function submit() {
  submitTyped.cancel();
  const url = formURL(form);
  if (url === state.url || !query.value.trim()) return;
  history.pushState(null, "", url);
  load(url);
}

/**
 * Replace the results by those of the page at `url`.
 * @param {string} url
 */
async function load(url) {
  state.request.abort();
  state.url = url;
  state.request = new AbortController();
  const { signal } = state.request;
  find("#results").setAttribute("aria-busy", "true");
  try {
    const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
    replaceResults(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    // The browser has the best page for a service that cannot be reached.
    location.assign(url);
  }
}

/** @param {Document} page */
function replaceResults(page) {
  for (const part of ["#results", "nav"]) {
    find(part).replaceWith(document.adoptNode(find(part, page)));
  }
  document.title = page.title;
  const results = find("#results");
  const films = results.querySelectorAll(".hits > li").length;
  const heading = results.querySelector("h2")?.textContent ?? "";
  find("#status").textContent = films ? `${films} films` : heading;
}

/** Make the form say what the URL says, for instance after a step back. */
function refill() {
  const fields = new URLSearchParams(location.search);
  /** @type {Record<string, number>} */
  const filled = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || !field.name) continue;
    const { name, type, value } = field;
    if (type === "checkbox") field.checked = fields.getAll(name).includes(value);
    else if (type === "radio") field.checked = (fields.get(name) ?? "hybrid") === value;
    else {
      const place = filled[name] ?? 0;
      field.value = fields.getAll(name)[place] ?? "";
      filled[name] = place + 1;
    }
  }
}

form.addEventListener("change", ({ target }) => {
  if (target !== query) submit();
});
form.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.name.startsWith("year")) return;
  submitTyped.cancel();
  if (/^(\d{4})?$/.test(target.value)) submitTyped();
});
form.addEventListener("submit", (event) => {
  if (!query.value.trim()) return;
  event.preventDefault();
  submit();
});
addEventListener("popstate", () => {
  const url = pageURL();
  if (url === state.url) return; // a step within the page, such as to a hit
  refill();
  load(url);
});

// On a narrow screen the genres are one line, and the chosen ones may be out of sight.
form.querySelector(".chip :checked")?.scrollIntoView({ block: "nearest", inline: "center" });
