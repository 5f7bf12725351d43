// The words for queues, states and flags, and the tone of each.

/** @import { Meta, ScoreStatus, Tone } from "./types.js" */

/** @typedef {{ word: string, tone: Tone }} Named */

/** Queues by their number in the index, which counts from 1 (triage.py). */
export const QUEUES = ["", "problem", "regressed", "disagrees", "new", "known", "fixed", "rest"];

/** @type {Record<string, Named>} */
const QUEUE_NAMES = {
  problem: { word: "Run problem", tone: "invalid" },
  regressed: { word: "Regression", tone: "fail" },
  disagrees: { word: "Disagreement", tone: "unsure" },
  new: { word: "New failure", tone: "fail" },
  known: { word: "Known failure", tone: "fail" },
  fixed: { word: "Fixed", tone: "pass" },
  rest: { word: "Passing", tone: "pass" },
};

/**
 * Word and tone of a queue. Without a baseline no failure is new.
 *
 * @param {Meta} meta
 * @param {string} queue
 */
export function queueName(meta, queue) {
  const named = QUEUE_NAMES[queue];
  return queue === "new" && !meta.baseline ? { ...named, word: "Failure" } : named;
}

/**
 * Word and tone of a row: its queue, and for a run problem also its state.
 *
 * @param {Meta} meta
 * @param {string} queue
 * @param {string} state
 * @returns {Named}
 */
export function rowName(meta, queue, state) {
  const named = queueName(meta, queue);
  if (queue !== "problem") return named;
  return { word: `${named.word}: ${STATES[state].word}`, tone: STATES[state].tone };
}

/**
 * States by their letter in the index (index.py).
 *
 * @type {Record<string, Named>}
 */
export const STATES = {
  p: { word: "pass", tone: "pass" },
  f: { word: "fail", tone: "fail" },
  u: { word: "unscored", tone: "unsure" },
  n: { word: "not scored yet", tone: "unsure" },
  e: { word: "error", tone: "invalid" },
  o: { word: "open", tone: "unsure" },
  "-": { word: "not applicable", tone: "plain" },
};

/**
 * What became of a case in a past run, by letter (history.py).
 *
 * @type {Record<string, Named>}
 */
export const PAST_STATES = {
  p: { word: "passed", tone: "pass" },
  f: { word: "failed", tone: "fail" },
  o: { word: "open", tone: "unsure" },
  u: { word: "unscored", tone: "unsure" },
  n: { word: "not scored yet", tone: "unsure" },
  e: { word: "error", tone: "invalid" },
  "-": { word: "not applicable", tone: "plain" },
  c: { word: "the case asked something else", tone: "plain" },
  ".": { word: "no score", tone: "plain" },
};

/** @type {Record<ScoreStatus, Tone>} */
export const STATUS_TONES = {
  pass: "pass",
  fail: "fail",
  unscored: "unsure",
  not_scored: "unsure",
  open: "unsure",
  error: "invalid",
  not_applicable: "plain",
};

/** @param {ScoreStatus} status */
export function statusWord(status) {
  return status.replace("_", " ");
}

/** Letters of the states that a query can name. */
export const STATE_LETTERS = new Map([
  ["pass", "p"],
  ["fail", "f"],
  ["open", "o"],
  ["unscored", "u"],
  ["not_scored", "n"],
  ["error", "e"],
]);

/** Letters of the states that filters and groups by metric count as not passed. */
export const NOT_PASSED = "fue";

/**
 * What the filter calls a flag.
 *
 * @type {Record<string, string>}
 */
export const FLAG_FILTERS = {
  quote: "quote not found",
  hidden: "hidden characters",
  cached: "answer from cache",
  cut: "cut off",
  changed: "case changed",
  advice: "findings in the text",
  disagrees: "disagreement",
  unsteady: "passes and fails by turns",
};

/**
 * What the head of a case says about its flags. A flag that is not here shows in the case itself.
 *
 * @type {Record<string, string>}
 */
export const FLAG_NOTES = {
  cached: "answer from cache",
  cut: "cut off at the token limit",
  hidden: "hidden characters",
  changed: "case differs from the baseline's",
  unsteady: "passes and fails by turns",
};
