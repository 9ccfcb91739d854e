// @ts-check
// A poster that cannot be loaded is replaced by the film's drawn tile.

import { drawnTileURL } from "./url.js";

/** @param {HTMLImageElement} image */
function replacePoster(image) {
  const url = drawnTileURL(image.src);
  if (url) image.src = url;
}

/** Errors of images do not bubble, but they are captured. */
const CAPTURE = true;

document.addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLImageElement) replacePoster(target);
  },
  CAPTURE,
);
for (const image of document.images) {
  if (image.complete && !image.naturalWidth) replacePoster(image);
}
