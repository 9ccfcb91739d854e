// @ts-check
// Finding elements of a page, and building new ones. Text is only ever set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Record<string, string | number | boolean | null>} Attributes null and false omit one */
/** @typedef {Node | string} Child "" is omitted */

/**
 * Return the first element that matches the selector. Throws if there is none of this type: then
 * a script and its template do not belong together.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [parent]
 * @param {new () => T} [type]
 * @returns {T}
 */
export function find(selector, parent = document, type) {
  const found = parent.querySelector(selector);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`The page has no ${selector}`);
  return /** @type {T} */ (found);
}

/**
 * Make an element say this text. What says it already is not laid out again.
 * @param {Element} target
 * @param {string} text
 */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Return the closest ancestor of an event's target that matches the selector, or the target.
 * @param {Event} event
 * @param {string} selector
 */
export function closest({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/**
 * Return a new HTML element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Return a new SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} T
 * @param {T} target
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {T}
 */
function fill(target, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    target.setAttribute(name, value === true ? "" : String(value));
  }
  target.append(...children.filter((child) => child !== ""));
  return target;
}
