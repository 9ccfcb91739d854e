// Chips, years and modes change the films at once, and the focus stays where it is. Without this the
// form is sent as forms are.

const REST_MS = 350;

const form = document.querySelector(".asking");
const status = document.getElementById("status");

let asked;
let resting;
let shown = location.pathname + location.search;

/** Return the address of what the form says, without its empty fields. */
function address() {
  const fields = [...new FormData(form)].filter(([, value]) => value.trim());
  return `${form.getAttribute("action")}?${new URLSearchParams(fields)}`;
}

/** Show the films of an address; only the latest that was asked for counts. */
async function show(target) {
  shown = target;
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const results = document.getElementById("results");
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(target, { signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("results");
    results.replaceWith(document.adoptNode(found));
    document.querySelector("nav").replaceWith(document.adoptNode(page.querySelector("nav")));
    document.title = page.title;
    const films = found.querySelectorAll(".hits > li").length;
    status.textContent = films ? `${films} films` : (found.querySelector("h2")?.textContent ?? "");
  } catch (error) {
    // Where the service cannot be reached the browser says so best.
    if (error.name !== "AbortError") location.assign(target);
  }
}

function go() {
  clearTimeout(resting);
  const target = address();
  if (target === shown || !form.elements.q.value.trim()) return;
  history.pushState(null, "", target);
  show(target);
}

/** Make the form say what the address says, as after a step back. */
function refill() {
  const fields = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = fields.getAll(field.name).includes(field.value);
    else if (field.type === "radio") field.checked = (fields.get(field.name) ?? "hybrid") === field.value;
    else if (field.name) field.value = fields.get(field.name) ?? "";
  }
}

// On a narrow screen the chips are one line, and what is chosen may be out of sight.
form.querySelector(".chip :checked")?.scrollIntoView({ block: "nearest", inline: "center" });

form.addEventListener("change", (event) => {
  if (event.target.name !== "q") go();
});
form.addEventListener("input", (event) => {
  if (!event.target.name.startsWith("year")) return;
  clearTimeout(resting);
  if (/^(\d{4})?$/.test(event.target.value)) resting = setTimeout(go, REST_MS);
});
form.addEventListener("submit", (event) => {
  if (!form.elements.q.value.trim()) return;
  event.preventDefault();
  go();
});
addEventListener("popstate", () => {
  const target = location.pathname + location.search;
  if (target === shown) return; // a step within the page, such as to the films
  refill();
  show(target);
});
