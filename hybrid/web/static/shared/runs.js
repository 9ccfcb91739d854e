// @ts-check
// Runs as they stand in a URL: NAME:MODE,FUSION,ALPHA. hybrid/schemas/runs.py defines them.

/** @typedef {"keyword" | "hybrid" | "semantic"} Mode */

/**
 * A ranking with a name.
 * @typedef {object} Run
 * @property {string} text  as in a URL
 * @property {string} name
 * @property {Mode} mode
 * @property {string | null} fusion  null where the slider's counts
 * @property {number | null} alpha  null where the server's counts
 */

export const DEFAULT_RUNS = ["keyword", "hybrid", "semantic"];

export const [MIN_RUNS, MAX_RUNS] = [2, 8];

const RUN =
  /^(?:([\p{L}\p{N}_][\p{L}\p{N}_.,+-]{0,39})[:=])?(keyword|semantic|hybrid(?:,(attainable|min_max|z_score|dbsf|rrf)(?:,(0|1|[01]?\.\d+))?)?)$/u;

/**
 * Return a run, null if the text is none.
 * @param {string} text
 * @returns {Run | null}
 */
export function parseRun(text) {
  const found = RUN.exec(text);
  if (!found || Number(found[4] ?? 0) > 1) return null;
  const mode = /** @type {Mode} */ (found[2].split(",")[0]);
  const alpha = found[4] === undefined ? null : Number(found[4]);
  return { text, name: found[1] ?? found[2], mode, fusion: found[3] ?? null, alpha };
}

/**
 * Return the runs of a URL, none unless they are two to eight of different names.
 * @param {URLSearchParams} fields
 */
export function parseRuns(fields) {
  const texts = fields.getAll("run").filter((text) => parseRun(text));
  const names = new Set(texts.map((text) => parseRun(text)?.name));
  const isValid = names.size === texts.length && names.size >= MIN_RUNS && names.size <= MAX_RUNS;
  return isValid ? texts : [];
}
