// Elements made of text and other elements. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element with these attributes (null and false leave one out) and children. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same inside a drawing. */
export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

/** Write a score with two decimals, or as many as it takes to see it. */
export function number(value) {
  if (value === 0 || Math.abs(value) >= 0.1) return value.toFixed(2);
  return String(Number(value.toPrecision(2)));
}

/** Write a small figure with two decimals, and no minus before nothing. */
export function hundredths(value) {
  return (Math.round(100 * value) / 100 || 0).toFixed(2);
}

/** End a sentence with a full stop, if it has none, be it within a quotation. */
export function ended(text) {
  return /[.?!]'?$/.test(text) ? text : `${text}.`;
}
