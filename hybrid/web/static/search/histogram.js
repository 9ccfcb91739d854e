// @ts-check
// The films by year: dragging across the bars chooses the years. The fields below say the same, for
// the keyboard and for screen readers.

import { find, shape } from "../shared/dom.js";

/**
 * @param {HTMLFormElement} form
 * @param {() => void} onChoice  called when years have been chosen
 */
export function listenToHistogram(form, onChoice) {
  const histogram = form.querySelector(".histogram");
  if (!(histogram instanceof HTMLElement)) return;
  const first = Number(histogram.dataset.first);
  const years = Number(histogram.dataset.last) - first + 1;
  /** @type {number | null} */
  let start = null;

  /** @param {PointerEvent} event */
  const yearAt = ({ clientX }) => {
    const { left, width } = histogram.getBoundingClientRect();
    const place = Math.floor(((clientX - left) / width) * years);
    return first + Math.min(Math.max(place, 0), years - 1);
  };
  /** @param {PointerEvent} event */
  const choose = (event) => {
    if (start === null) return;
    const ends = [start, yearAt(event)].sort((a, b) => a - b);
    find("input[name=year_from]", form, HTMLInputElement).value = String(ends[0]);
    find("input[name=year_to]", form, HTMLInputElement).value = String(ends[1]);
    mark(find("svg", histogram, SVGElement), ends[0] - first, ends[1] - ends[0] + 1);
  };
  histogram.addEventListener("pointerdown", (event) => {
    start = yearAt(event);
    histogram.setPointerCapture(event.pointerId);
    choose(event);
    event.preventDefault();
  });
  histogram.addEventListener("pointermove", choose);
  histogram.addEventListener("pointerup", () => {
    if (start !== null) onChoice();
    start = null;
  });
  histogram.addEventListener("pointercancel", () => {
    start = null;
  });
}

/**
 * Show which years are chosen, before the films of them come.
 * @param {SVGElement} bars
 * @param {number} from
 * @param {number} number
 */
function mark(bars, from, number) {
  bars.querySelector(".chosen")?.remove();
  bars.prepend(shape("rect", { class: "chosen", x: from, width: number, height: 40 }));
}
