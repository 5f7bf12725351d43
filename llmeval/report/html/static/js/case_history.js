// What became of a case in past runs.

import { h, number, shape, status } from "./dom.js";
import { visible } from "./hidden.js";
import { parentOf } from "./score_parts.js";
import { PAST_STATES, STATUS_TONES, statusWord } from "./vocabulary.js";

/** @import { FullRow, PastRun, Score } from "./types.js" */

/** With this many runs, the dates of the first and the last one fit above the marks. */
const DATED = 10;

/**
 * A line for each metric, a mark for each run, oldest first; each mark links to that run's report.
 *
 * @param {FullRow} full
 * @param {PastRun[]} runs
 */
export function caseHistory(full, runs) {
  const all = full.now.scores;
  const scores = all.filter((score) => full.past?.[score.metric] && !parentOf(score, all));
  if (!scores.length) return null;
  const head = `${number(runs.length)} past ${runs.length === 1 ? "run" : "runs, oldest first"}`;
  const table = h(
    "table",
    {},
    h("caption", { class: "sr" }, "This case in past runs, oldest first"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Metric"),
        h("th", { scope: "col" }, head, dates(runs)),
        h("th", { scope: "col" }, "This run"),
      ),
    ),
    h(
      "tbody",
      {},
      scores.map((score) => historyLine(score, full, runs)),
    ),
  );
  return h("section", { class: "history" }, h("h3", {}, "History"), table);
}

/** @param {PastRun[]} runs */
function dates(runs) {
  if (runs.length < DATED) return null;
  const [first, last] = [runs[0], runs[runs.length - 1]];
  return h("p", { class: "ends quiet" }, h("span", {}, first.when), h("span", {}, last.when));
}

/**
 * @param {Score} score
 * @param {FullRow} full
 * @param {PastRun[]} runs
 */
function historyLine(score, full, runs) {
  const letters = [...(full.past?.[score.metric] ?? "")];
  const marks = letters.map((letter, i) => mark(letter, runs[i], full.case.id));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, visible(score.metric)),
    h("td", {}, h("ul", { class: "past" }, marks)),
    h("td", { class: "today" }, status(STATUS_TONES[score.status], statusWord(score.status))),
  );
}

/**
 * @param {string} letter
 * @param {PastRun} run
 * @param {string} id
 */
function mark(letter, run, id) {
  const { word, tone } = PAST_STATES[letter];
  const text = `${run.when}: ${word}${run.candidate ? ` (${visible(run.candidate)})` : ""}`;
  const sign = letter === "c" || letter === "." ? h("i", { class: "gap" }) : shape(tone);
  const inside = [sign, h("span", { class: "sr" }, text)];
  if (!run.href) return h("li", {}, h("span", { title: text }, inside));
  const href = `${run.href}#case=${encodeURIComponent(id)}`;
  return h("li", {}, h("a", { href, title: text }, inside));
}
