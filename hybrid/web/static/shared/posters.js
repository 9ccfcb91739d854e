// A poster that does not come is replaced by the film's drawn tile.

function draw(image) {
  const { pathname, search } = new URL(image.src);
  if (pathname.startsWith("/tiles/") && !search) image.src = `${pathname}?drawn`;
}

document.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && draw(target), true);
for (const image of document.images) {
  if (image.complete && !image.naturalWidth) draw(image);
}
