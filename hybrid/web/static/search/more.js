// @ts-check
// More films while one scrolls: the link to the next page is followed in place when it is near.

import { find } from "../shared/dom.js";

/** How far below the window the link may be. */
const NEAR = "600px";

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting && target instanceof HTMLAnchorElement) add(target);
    }
  },
  { rootMargin: NEAR },
);

/** Watch the link to more films, if there is one. */
export function listenToMore() {
  observer.disconnect();
  const link = document.querySelector("#results a[rel=next]");
  if (link) observer.observe(link);
}

/**
 * Append the films of the page that a link leads to. Where they do not come, the link stays.
 * @param {HTMLAnchorElement} link
 */
async function add(link) {
  observer.disconnect();
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok || !link.isConnected) return;
    const films = [...page.querySelectorAll(".hits > li")];
    const hadFocus = document.activeElement === link;
    find(".hits").append(...films.map((film) => document.adoptNode(film)));
    const end = page.querySelector(".further");
    find(".further").replaceWith(...(end ? [document.adoptNode(end)] : []));
    if (hadFocus) films[0]?.querySelector("a")?.focus();
    find("#status").textContent = `${films.length} more films`;
    listenToMore();
  } catch {
    // The link is there, to be pressed.
  } finally {
    link.removeAttribute("aria-busy");
  }
}
