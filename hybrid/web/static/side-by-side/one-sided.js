// @ts-check
// The films that one side alone finds: what a search without the other would miss.

import { element, find } from "../shared/dom.js";
import { filmURL, queryFields } from "../shared/url.js";

/** @import { CandidateMovie } from "./api.js" */
/** @import { Comparison } from "./comparison.js" */

/** Films of a list that are named. */
const NAMED = 6;

/** @param {Comparison} comparison */
export function drawOneSided(comparison) {
  const { keyword, semantic } = comparison.rankings({ fusion: "attainable", alpha: 0.5 });
  const { movies, limit } = comparison;
  const byMeaning = semantic.slice(0, limit).filter((film) => movies[film].keyword_rank === null);
  const byWords = keyword.slice(0, limit).filter((film) => movies[film].semantic_rank === null);
  find("#one-sided").replaceChildren(
    ...list("semantic", "By meaning alone", byMeaning, movies),
    ...list("keyword", "By words alone", byWords, movies),
  );
}

/**
 * @param {"keyword" | "semantic"} side
 * @param {string} heading
 * @param {string[]} films
 * @param {Record<string, CandidateMovie>} movies
 * @returns {Node[]}
 */
function list(side, heading, films, movies) {
  const query = queryFields(location.search);
  const items = films.slice(0, NAMED).map((film) => {
    const { title, year } = movies[film];
    const link = element("a", { href: filmURL(film, query) }, title);
    return element("li", {}, link, year === null ? "" : ` ${year}`);
  });
  const more = films.length - items.length;
  if (more > 0) items.push(element("li", { class: "soft" }, `and ${more} more`));
  const head = element(
    "h3",
    { class: `of-${side}` },
    `${heading} `,
    element("small", {}, `${films.length}`),
  );
  return [
    head,
    items.length ? element("ul", {}, ...items) : element("p", { class: "soft" }, "none"),
  ];
}
