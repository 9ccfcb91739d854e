// The panel that says why a film stands where it does: its places, the sum, and what the service
// says of it, which is asked for once the view rests.

import { COLUMNS } from "./comparison.js";
import { element, ended, hundredths, number, shape } from "../shared/dom.js";
import { pieces } from "./marks.js";

/** Fill `panel` for a film of this `movie`, at these ranks, score parts, alpha and fusion. */
export function explain(panel, film, movie, at, close) {
  if (panel.dataset.film !== film) {
    panel.dataset.film = film;
    delete panel.dataset.told; // what was told of another film, or is still to come
    panel.replaceChildren(
      head(film, movie, close),
      element("div", { class: "sums" }),
      element("div", { class: "words", "aria-live": "polite" }),
    );
  }
  panel.querySelector(".sums").replaceChildren(places(movie, at), sum(at));
}

/** Ask the service why the panel's film ranks where it does, and say it. `fields` are the query's. */
export async function tell(panel, fields) {
  const { film } = panel.dataset;
  const asked = `/explain/${film}?${fields}`;
  if (panel.dataset.told === asked) return;
  panel.dataset.told = asked;
  let answer = null;
  try {
    const response = await fetch(asked);
    answer = response.ok ? await response.json() : null;
  } catch {
    // Said below like every answer that is none.
  }
  if (panel.dataset.told !== asked) return;
  if (!answer) delete panel.dataset.told;
  const nothing = element("p", { class: "soft" }, "The explanation did not come; the figures above hold.");
  panel.querySelector(".words").replaceChildren(...(answer ? said(answer.hit) : [nothing]));
}

function head(film, movie, close) {
  const shut = element("button", { type: "button", class: "shut", "aria-label": "Close" }, "×");
  shut.addEventListener("click", close);
  const facts = [movie.year, movie.genres.join(", ")].filter(Boolean).join(" · ");
  return element(
    "header",
    {},
    element("img", { class: "tile", src: `/tiles/${film}`, alt: "", width: 60, height: 90 }),
    element("div", {}, element("h2", { tabindex: -1 }, movie.title), element("p", {}, facts)),
    shut,
  );
}

function places(movie, { ranks }) {
  const values = { keyword: movie.keyword, semantic: movie.semantic };
  return element(
    "dl",
    { class: "places" },
    ...COLUMNS.map((name) =>
      element(
        "div",
        { class: name },
        element("dt", {}, name),
        element("dd", {}, ranks[name] ? `place ${ranks[name]}` : "not listed"),
        element("dd", {}, values[name] === undefined ? "" : values[name] === null ? "no score" : number(values[name])),
      ),
    ),
  );
}

/** Return how the score is made, with the figures of both sides in their colours. */
function sum({ parts, alpha, fusion }) {
  const of = (side, text) => element("span", { class: `of-${side}` }, text);
  const weight = (share) => Number(share.toFixed(4));
  return element(
    "p",
    { class: "sum" },
    parts.times === 1 ? "" : `${parts.times} × (`,
    `${weight(1 - alpha)} × `,
    of("keyword", number(parts.keyword)),
    ` + ${weight(alpha)} × `,
    of("semantic", number(parts.semantic)),
    parts.times === 1 ? "" : ")",
    ` = ${number(parts.score)}`,
    element("small", {}, fusion === "attainable" ? "" : ` ${fusion}`),
  );
}

/** Return what the service said: a summary, the query word by word, the sentences that count. */
function said({ movie, why, highlight }) {
  return [
    element("p", {}, ended(`${movie.title} ${why.summary}`)),
    wordByWord(why),
    ...sentences(movie, why, highlight),
  ];
}

/** Return the words of the query with what each is worth: in the film's text, and in meaning. */
function wordByWord({ keyword, semantic }) {
  const found = new Map((keyword?.terms ?? []).map((term) => [term.term, term.share]));
  const [spelled, drops] = [new Map(), new Map()];
  for (const { word, term, drop } of semantic?.words ?? []) {
    if (!spelled.has(term)) spelled.set(term, word);
    drops.set(term, (drops.get(term) ?? 0) + drop);
  }
  for (const { word, term } of keyword?.terms ?? []) if (!spelled.has(term)) spelled.set(term, word);
  const known = new Set(spelled.values());
  const missing = (keyword?.not_found ?? []).filter((word) => !known.has(word));
  if (!spelled.size && !missing.length) return "";
  const most = (values) => Math.max(0.01, ...values);
  const [mostFound, mostDropped] = [most(found.values()), most(drops.values())];
  const absent = keyword && keyword.terms === null ? "?" : "–";
  const row = (word, term) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, word),
      element("td", {}, ...measure("keyword", found.get(term), mostFound, absent)),
      element("td", {}, ...measure("semantic", drops.get(term), mostDropped)),
    );
  const heads = ["word", "in its text", "in meaning"];
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...[...spelled].map(([term, word]) => row(word, term)), ...missing.map((word) => row(word))),
  );
}

function measure(side, value, most, absent = "–") {
  if (value === undefined) return [element("span", { class: "soft" }, absent)];
  const width = (100 * Math.max(value, 0)) / most;
  const frame = { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" };
  return [shape("svg", frame, shape("rect", { class: side, width, height: 8 })), hundredths(value)];
}

function sentences(movie, { semantic }, highlight) {
  const text = movie.description ?? "";
  return (semantic?.sentences ?? []).map(({ sentence, cosine, weight }) => {
    const share = weight === 1 ? "" : `, counts ${Math.round(100 * weight)}%`;
    return element(
      "blockquote",
      {},
      ...marked(text, sentence, highlight.description),
      element("small", {}, ` cosine ${number(cosine)}${share}`),
    );
  });
}

/** Return a sentence of `text` with its marks. */
function marked(text, sentence, ranges) {
  const at = text.indexOf(sentence);
  const start = Array.from(text.slice(0, Math.max(at, 0))).length;
  const end = start + Array.from(sentence).length;
  const inside = ranges.filter(([low, high]) => at >= 0 && start <= low && high <= end);
  const moved = inside.map(([low, high]) => [low - start, high - start]);
  return pieces(sentence, moved).map(([part, isMarked]) => (isMarked ? element("mark", {}, part) : part));
}
