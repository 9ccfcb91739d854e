// The page that compares: what is shown follows from the comparison and the view in the address.

import { addressOf, queried, viewOf } from "../shared/url.js";
import { COLUMNS, compare } from "./comparison.js";
import { element, ended, hundredths } from "../shared/dom.js";
import { FUSIONS } from "./fusion.js";
import { join } from "./lines.js";
import { Column } from "./column.js";
import { explain, tell } from "./explanation.js";

/** So long the view must rest before it becomes a step of the history. */
const REST_MS = 400;

const find = (id) => document.getElementById(id);
const columns = document.querySelector(".columns");
const lists = Object.fromEntries(COLUMNS.map((name) => [name, document.querySelector(`.column.${name}`)]));
const gutters = [...document.querySelectorAll(".gutter")];

let comparison;
let shown;
let view = viewOf(location.search);
let ranking;
let resting;
let due = false;
let opener = null;
let toPanel = false;

const fusion = () => view.fusion ?? comparison.chosen.fusion;
const alpha = () => view.alpha ?? comparison.chosen.alpha;

/** Change the view; it becomes a step of the history once it rests. */
function turn(changes) {
  view = { ...view, ...changes };
  draw();
  clearTimeout(resting);
  resting = setTimeout(() => {
    const address = addressOf(location.search, view);
    if (address !== location.search) history.pushState(null, "", address);
    settle();
  }, REST_MS);
}

/** Draw at the next frame, once however often it is asked for. */
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    render();
    if (toPanel && view.film) find("why").querySelector("h2")?.focus();
    toPanel = false;
  });
}

function render() {
  const at = comparison.at(fusion(), alpha());
  ranking = at;
  const top = Object.fromEntries(COLUMNS.map((name) => [name, at[name].slice(0, comparison.limit)]));
  // Scores without a scale are drawn as shares of the best.
  const best = ["z_score", "rrf"].includes(fusion()) ? at.scores[at.order[0]] : 1;
  const of = comparison.movies;
  shown.keyword.show(top.keyword, (film) => [of[film].keyword, 0], (film) => of[film].keyword);
  shown.semantic.show(top.semantic, (film) => [0, of[film].semantic], (film) => of[film].semantic);
  const parts = (film) => comparison.parts(at, alpha(), film);
  shown.hybrid.show(
    top.hybrid,
    (film) => [parts(film).words / best, parts(film).meaning / best],
    (film) => parts(film).score,
  );
  const rows = Math.max(...COLUMNS.map((name) => top[name].length));
  COLUMNS.forEach((name) => (lists[name].querySelector(".none").hidden = top[name].length > 0));
  gutters.forEach((gutter, place) => {
    join(gutter.querySelector("svg"), top[COLUMNS[place]], top[COLUMNS[place + 1]], rows);
    gutter.style.setProperty("--rows", rows);
  });
  weigh(at);
  agree(at);
  why();
  carry();
  for (const place of columns.querySelectorAll("[data-film]")) {
    place.setAttribute("aria-pressed", String(place.dataset.film === view.film));
  }
  light(view.film);
  columns.dataset.open = view.open;
  for (const button of columns.querySelectorAll("[data-open]")) {
    button.setAttribute("aria-pressed", String(button.dataset.open === view.open));
  }
}

function weigh(at) {
  const [auto, share] = [view.alpha === null, alpha()];
  const slider = find("alpha");
  slider.value = share;
  slider.setAttribute("aria-valuetext", `words ${percent(1 - share)}, meaning ${percent(share)}`);
  find("words-share").textContent = percent(1 - share);
  find("meaning-share").textContent = percent(share);
  find("auto").setAttribute("aria-pressed", String(auto));
  find("reason").textContent = auto
    ? comparison.chosen.alpha_reason
    : `set by hand; for this query auto is ${percent(comparison.chosen.alpha)} meaning`;
  find("fusion").value = fusion();
  find("fusion-says").textContent = FUSIONS[fusion()];
  const { below, above } = comparison.swaps(at, share);
  find("swaps").replaceChildren(...[["◂", below], ["▸", above]].map(([arrow, swap]) => next(arrow, swap)));
}

/** Return a button that goes on to where two neighbours change places. */
function next(arrow, swap) {
  if (!swap) return element("span", {}, `${arrow} no more changes`);
  const title = (film) => element("i", {}, comparison.movies[film].title);
  const button = element(
    "button",
    { type: "button" },
    `${arrow} at ${percent(swap.at)} meaning `,
    title(swap.passes),
    " passes ",
    title(swap.passed),
  );
  button.addEventListener("click", () => turn({ alpha: Number(swap.to.toFixed(5)) }));
  return button;
}

function agree(at) {
  find("shown").textContent = String(comparison.limit);
  const pairs = comparison.pairs(at);
  find("pairs").replaceChildren(
    ...pairs.map((pair) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, `${pair.a} – ${pair.b}`),
        element("td", {}, String(pair.common)),
        element("td", {}, hundredths(pair.jaccard)),
        element("td", {}, hundredths(pair.rbo)),
        element("td", {}, pair.tau === null ? "–" : hundredths(pair.tau)),
      ),
    ),
  );
  gutters.forEach((gutter, place) => {
    const common = element("b", {}, String(pairs[place].common));
    gutter.querySelector("p").replaceChildren(common, "in both");
  });
}

function why() {
  const panel = find("why");
  if (!view.film || !comparison.movies[view.film]) {
    panel.hidden = true;
    return;
  }
  panel.hidden = false;
  const ranks = Object.fromEntries(
    COLUMNS.map((name) => [name, ranking[name].indexOf(view.film) + 1 || null]),
  );
  const parts = comparison.parts(ranking, alpha(), view.film);
  const at = { ranks, parts, alpha: alpha(), fusion: fusion() };
  explain(panel, view.film, comparison.movies[view.film], at, close);
}

function close() {
  const film = view.film;
  turn({ film: null });
  // Back to where the panel was opened from, or to the film's place if it still has one.
  const back = opener?.isConnected ? opener : columns.querySelector(`[data-film="${film}"]`);
  (back ?? columns).focus();
}

/** Light a film in all columns, or none. */
function light(film) {
  for (const lit of columns.querySelectorAll(".lit")) lit.classList.remove("lit");
  const found = film ? columns.querySelectorAll(`[data-film="${CSS.escape(film)}"]`) : [];
  for (const place of found) place.classList.add("lit");
  columns.classList.toggle("lighting", found.length > 0);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

const percent = (share) => `${Number((100 * share).toFixed(1))}%`;

/** Do what waits until the view rests: ask why. */
function settle() {
  if (view.film && comparison.movies[view.film]) {
    const fields = queried(location.search);
    for (const [name, value] of [["fusion", fusion()], ["alpha", alpha()], ["highlight", "true"]]) fields.set(name, value);
    tell(find("why"), fields);
  }
}

/** Let the form and the links to other pages take the weight and the fusion along. */
function carry() {
  const form = find("asking");
  for (const name of ["fusion", "alpha"]) {
    form.querySelector(`input[name=${name}]`)?.remove();
    if (view[name] !== null) form.append(element("input", { type: "hidden", name, value: view[name] }));
  }
  const { fusion: by, alpha: weight } = view;
  for (const link of document.querySelectorAll("nav a")) {
    link.search = addressOf(link.search, { fusion: by, alpha: weight });
  }
}

function listen() {
  find("alpha").addEventListener("input", (event) => turn({ alpha: Number(event.target.value) }));
  find("auto").addEventListener("click", () => turn({ alpha: null }));
  find("fusion").addEventListener("change", (event) => turn({ fusion: event.target.value }));
  columns.addEventListener("click", (event) => {
    const place = event.target.closest("[data-film]");
    const film = place?.dataset.film;
    if (place) opener = place;
    toPanel = event.detail === 0; // pressed by a key: the focus goes along
    const open = event.target.closest("[data-open]:not(.columns)")?.dataset.open;
    if (film) turn({ film: film === view.film ? null : film });
    if (open) turn({ open });
  });
  const form = find("asking");
  form.addEventListener("change", (event) => {
    if (event.target.name && event.target.name !== "q") form.requestSubmit();
  });
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of new Set(formData.keys())) {
      const said = formData.getAll(name).filter((value) => value.trim());
      formData.delete(name);
      for (const value of said) formData.append(name, value);
    }
  });
  new ResizeObserver(([bar]) => {
    document.documentElement.style.setProperty("--weigh", `${bar.target.offsetHeight}px`);
  }).observe(document.querySelector(".weigh"));
  const lightAt = (event) => light(event.target.closest?.("[data-film]")?.dataset.film ?? view.film);
  for (const kind of ["pointerover", "focusin"]) columns.addEventListener(kind, lightAt);
  for (const kind of ["pointerleave", "focusout"]) columns.addEventListener(kind, () => light(view.film));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && view.film) close();
  });
  addEventListener("popstate", () => {
    clearTimeout(resting);
    view = viewOf(location.search);
    render();
    settle();
  });
}

function say(...notices) {
  find("notices").replaceChildren(...notices.map((text) => element("p", { class: "notice" }, text)));
}

async function start() {
  try {
    comparison = await compare(queried(location.search));
  } catch (error) {
    fail(error);
    return;
  }
  find("waiting").remove();
  document.querySelector(".bench").hidden = false;
  find("fusion").append(...Object.keys(FUSIONS).map((name) => element("option", {}, name)));
  shown = Object.fromEntries(
    COLUMNS.map((name) => [name, new Column(lists[name].querySelector("ol"), comparison.movies)]),
  );
  const notices = comparison.warnings.map((text) => ended(capital(text)));
  if (comparison.degraded.includes("keyword")) {
    notices.unshift("The keyword engine does not answer: films are found by their titles and their meaning alone.");
  }
  if (!comparison.size) notices.push("No film fits: take away a genre, or widen the years.");
  say(...notices);
  listen();
  render();
  settle();
  // A link may explain a film that is further down.
  columns.querySelector(".hybrid .lit, .lit")?.scrollIntoView({ block: "nearest" });
  find("status").textContent = `${comparison.size} films compared`;
}

function fail(error) {
  const again = element("a", { class: "button", href: location.href }, "Try again");
  const notice = element(
    "div",
    { class: "notice problem", role: "alert" },
    element("h2", {}, "The rankings cannot be compared"),
    element("p", {}, ended(capital(error.message))),
    element("p", {}, again),
  );
  find("waiting").replaceWith(notice);
}

await start();
