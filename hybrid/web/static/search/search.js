// @ts-check
// Whatever the form says is shown at once, in place: a query once typing stops, filters and modes
// when they change, links that lead to other films of the same page. Without this script the form
// and the links work like any other.

import { closest, find } from "../shared/dom.js";
import { debounce } from "../shared/timing.js";
import { formURL } from "../shared/url.js";
import { listenToHistogram } from "./histogram.js";
import { listenToMore } from "./more.js";

/** Milliseconds without a key press before a year or a query counts as typed. */
const TYPING_MS = 450;

const form = find("form.search-form", document, HTMLFormElement);
const query = find("#q", form, HTMLInputElement);
const failure = find("#failure");

/** What is shown, or requested to be: only the latest request counts. */
const state = { url: pageURL(), request: new AbortController(), isTyping: false };

const submitTyped = debounce(() => submit(true), TYPING_MS);

function pageURL() {
  return location.pathname + location.search;
}

/**
 * Show the results of what the form says, unless they are shown already. All that is typed without
 * a pause for something else is one step of the history.
 * @param {boolean} isTyping
 */
function submit(isTyping = false) {
  submitTyped.cancel();
  const url = formURL(form);
  if (url === state.url || (isTyping && !query.value.trim())) return;
  if (isTyping && state.isTyping) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  state.isTyping = isTyping;
  load(url);
}

/**
 * Replace the results by those of the page at `url`. Where it does not come, what is shown stays.
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
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (page.body.classList.contains("landing")) return location.replace(url);
    if (!page.body.classList.contains("search"))
      throw new Error(`${response.status} is no page of films`);
    replaceResults(page);
    failure.hidden = true;
  } catch {
    if (signal.aborted) return;
    find("#results").removeAttribute("aria-busy");
    failure.hidden = false;
  }
}

/** @param {Document} page */
function replaceResults(page) {
  const hadFocus = find("#results").contains(document.activeElement);
  for (const part of ["#results", "nav", ".opener"]) {
    const fresh = page.querySelector(part);
    if (fresh) find(part).replaceWith(document.adoptNode(fresh));
  }
  refreshFilters(page);
  document.title = page.title;
  const results = find("#results");
  if (hadFocus) results.focus({ preventScroll: true });
  if (results.getBoundingClientRect().top < 0) scrollTo(0, 0);
  listenToMore();
  const films = results.querySelectorAll(".hits > li").length;
  const heading = results.querySelector("h2")?.textContent ?? "";
  find("#status").textContent = films ? `${films} films` : heading;
}

/**
 * Write the numbers of films beside the filters, whose fields keep the focus.
 * @param {Document} page
 */
function refreshFilters(page) {
  /** @param {Element} choice */
  const value = (choice) => choice.querySelector("input")?.value ?? "";
  const fresh = new Map(
    [...page.querySelectorAll(".choice small")].map((count) => [
      value(/** @type {Element} */ (count.parentElement)),
      count.textContent,
    ]),
  );
  for (const count of form.querySelectorAll(".choice small")) {
    count.textContent = fresh.get(value(/** @type {Element} */ (count.parentElement))) ?? "0";
  }
  const bars = page.querySelector(".histogram svg");
  if (bars) form.querySelector(".histogram svg")?.replaceWith(document.adoptNode(bars));
}

/** Make the form say what the URL says, for instance after a step back. */
function refill() {
  const fields = new URLSearchParams(location.search);
  /** @type {Record<string, number>} */
  const filled = {};
  for (const field of form.elements) {
    if (field instanceof HTMLSelectElement) field.value = fields.get(field.name) ?? "";
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

/**
 * Return whether a click on a link shows other films on this page.
 * @param {MouseEvent} event
 * @param {HTMLAnchorElement} link
 */
function staysHere({ button, ctrlKey, metaKey, shiftKey, altKey }, link) {
  const isPlain = button === 0 && !(ctrlKey || metaKey || shiftKey || altKey);
  return isPlain && link.origin === location.origin && link.pathname === location.pathname;
}

form.addEventListener("change", ({ target }) => {
  if (target !== query) submit();
});
form.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLInputElement)) return;
  const isYear = target.name.startsWith("year");
  if (target !== query && !isYear) return;
  submitTyped.cancel();
  if (target === query || /^(\d{4})?$/.test(target.value)) submitTyped();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
document.addEventListener("click", (event) => {
  const link = closest(event, "#results a");
  if (!(link instanceof HTMLAnchorElement) || !staysHere(event, link)) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  state.isTyping = false;
  refill();
  load(pageURL());
});
find("button", failure).addEventListener("click", () => load(state.url));
addEventListener("popstate", () => {
  const url = pageURL();
  if (url === state.url) return; // a step within the page, such as to a hit
  state.isTyping = false;
  refill();
  load(url);
});
listenToHistogram(form, submit);
listenToMore();
