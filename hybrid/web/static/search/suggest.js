// @ts-check
// Suggestions below the search field: an editable combobox with a list, as the ARIA Authoring
// Practices describe it. The focus stays in the field; without this script it is a plain one.

import { closest, element, find } from "../shared/dom.js";
import { debounce } from "../shared/timing.js";
import { suggestURL } from "../shared/url.js";

/** Milliseconds without a key press before suggestions are requested. */
const TYPING_MS = 120;

/** @typedef {{ kind: string, text: string, year: number | null, films: number | null }} Suggestion */

const field = find("#q", document, HTMLInputElement);
const list = element("ul", {
  id: "suggestions",
  class: "suggestions",
  role: "listbox",
  hidden: true,
});

/** The latest request, whose answer alone counts, and what the user typed. */
const state = { request: new AbortController(), typed: field.value };

const requestTyped = debounce(request, TYPING_MS);

/** Request the suggestions for what is typed. */
async function request() {
  state.request.abort();
  state.request = new AbortController();
  const { signal } = state.request;
  const typed = field.value.trim();
  if (!typed) return close();
  try {
    const response = await fetch(suggestURL(typed), { signal });
    const answer = response.ok ? await response.json() : { suggestions: [] };
    if (!signal.aborted && document.activeElement === field) show(answer.suggestions);
  } catch {
    // Superseded, or the service cannot be reached: the field works all the same.
  }
}

/** @param {Suggestion[]} suggestions */
function show(suggestions) {
  list.replaceChildren(
    ...suggestions.map((suggestion, number) =>
      element(
        "li",
        {
          id: `suggestion-${number}`,
          role: "option",
          "aria-selected": "false",
          "data-text": suggestion.text,
        },
        element("span", {}, suggestion.text),
        element("small", {}, fact(suggestion)),
      ),
    ),
  );
  list.hidden = !suggestions.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
  field.removeAttribute("aria-activedescendant");
}

/** @param {Suggestion} suggestion */
function fact({ kind, year, films }) {
  if (kind === "title") return year === null ? "film" : `film, ${year}`;
  return `${kind}, ${films} ${films === 1 ? "film" : "films"}`;
}

/** Close the list, and drop what was requested for it. */
function close() {
  requestTyped.cancel();
  state.request.abort();
  list.hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

/** The number of the option that is active, -1 without one. */
function activeNumber() {
  return [...list.children].findIndex((option) => option.ariaSelected === "true");
}

/**
 * Make the option of this number active and the field say its text; -1 is the field as typed.
 * @param {number} number
 */
function activate(number) {
  for (const [n, option] of [...list.children].entries()) {
    option.setAttribute("aria-selected", String(n === number));
  }
  const option = list.children[number];
  field.value = option?.getAttribute("data-text") ?? state.typed;
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

/**
 * Move the activity by one option. The field itself is between the last option and the first.
 * @param {1 | -1} step
 */
function move(step) {
  const places = list.children.length + 1;
  activate(((activeNumber() + 1 + step + places) % places) - 1);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (list.hidden) request();
    else move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    activate(-1);
    close();
  } else if (event.key === "Enter" || event.key === "Tab") {
    close();
  }
}

// A text field may be a combobox, a search field may not.
field.type = "text";
field.inputMode = "search";
field.enterKeyHint = "search";
for (const [name, value] of Object.entries({
  role: "combobox",
  "aria-autocomplete": "list",
  "aria-expanded": "false",
  "aria-controls": list.id,
})) {
  field.setAttribute(name, value);
}
list.setAttribute("aria-label", "Suggestions");
find(".box").append(list);

field.addEventListener("input", () => {
  state.typed = field.value;
  requestTyped();
});
field.addEventListener("keydown", onKey);
field.addEventListener("blur", close);
field.form?.addEventListener("submit", close);
// A press must not take the focus, or the list would close before the click.
list.addEventListener("pointerdown", (event) => event.preventDefault());
list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const option = closest(event, "[role=option]");
  if (!option) return;
  field.value = option.getAttribute("data-text") ?? "";
  close();
  field.form?.requestSubmit();
});
