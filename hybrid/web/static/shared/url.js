// What the address says of the view, and the address of a view: a link shows what its sender saw.

const OF_THE_QUERY = ["q", "genre", "genre_match", "year_from", "year_to", "limit"];
const SHOWN = "20";

/** Return the fields of the query alone, as GET /compare takes them. */
export function queried(search) {
  const fields = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(search)) {
    if (OF_THE_QUERY.includes(name) && value.trim()) fields.append(name, value);
  }
  if (!fields.has("limit")) fields.set("limit", SHOWN);
  return fields;
}

/**
 * Return the view: fusion and alpha (null for what the server chooses), the film that is explained,
 * and the column that is wide on a narrow screen.
 */
export function viewOf(search) {
  const fields = new URLSearchParams(search);
  const alpha = Number.parseFloat(fields.get("alpha"));
  const film = fields.get("film");
  return {
    fusion: fields.get("fusion") || null,
    alpha: alpha >= 0 && alpha <= 1 ? alpha : null,
    film: /^\d+$/.test(film) ? film : null,
    open: ["keyword", "semantic"].includes(fields.get("open")) ? fields.get("open") : "hybrid",
  };
}

/** Return the address of the same query in this view. */
export function addressOf(search, view) {
  const fields = new URLSearchParams(search);
  for (const [name, value] of Object.entries(view)) {
    if (value === null || (name === "open" && value === "hybrid")) fields.delete(name);
    else fields.set(name, value);
  }
  return `?${fields}`;
}
