// The words for queues, states and flags, and the tone of each.

/** @import { Meta, ScoreStatus, Tone } from "./types.js" */

/** @typedef {{ word: string, tone: Tone }} Named */

/** Queues by their number in the index, which counts from 1 (triage.py). */
export const QUEUES = [
  "",
  "problem",
  "regressed",
  "disagrees",
  "new",
  "known",
  "untrusted",
  "fixed",
  "rest",
];

/** @type {Record<string, Named>} */
const QUEUE_NAMES = {
  problem: { word: "Run problem", tone: "invalid" },
  regressed: { word: "Regression", tone: "fail" },
  disagrees: { word: "Disagreement", tone: "unsure" },
  new: { word: "New failure", tone: "fail" },
  known: { word: "Known failure", tone: "fail" },
  untrusted: { word: "Untrusted judge", tone: "unsure" },
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
  o: { word: "needs review", tone: "unsure" },
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
  o: { word: "needs review", tone: "unsure" },
  u: { word: "unscored", tone: "unsure" },
  n: { word: "not scored yet", tone: "unsure" },
  e: { word: "error", tone: "invalid" },
  "-": { word: "not applicable", tone: "plain" },
  c: { word: "the case was different then", tone: "plain" },
  ".": { word: "no score", tone: "plain" },
};

/** @type {Record<ScoreStatus, Tone>} */
export const STATUS_TONES = {
  pass: "pass",
  fail: "fail",
  unscored: "unsure",
  not_scored: "unsure",
  needs_review: "unsure",
  error: "invalid",
  not_applicable: "plain",
};

/** @type {Record<ScoreStatus, string>} */
const STATUS_WORDS = {
  pass: "pass",
  fail: "fail",
  unscored: "unscored",
  not_scored: "not scored yet",
  needs_review: "needs review",
  error: "error",
  not_applicable: "not applicable",
};

/** @param {ScoreStatus} status */
export function statusWord(status) {
  return STATUS_WORDS[status];
}

/**
 * What a status that is neither pass nor fail means, as a tooltip.
 *
 * @type {Record<string, string>}
 */
export const STATUS_HELP = {
  unscored: "The judge gave no usable verdict. This counts as missing, not as a pass or a fail.",
  not_scored: "The run ended before this was scored. The same command continues it.",
  needs_review: "The judges were not sure enough to decide. A person's verdict decides.",
  error: "There is no answer to score, or the check could not run. This counts as missing.",
  not_applicable: "This check does not apply to this case. No metric counts it.",
};

/**
 * Letters of the states that a query can name.
 *
 * @type {Map<string, string>}
 */
export const STATE_LETTERS = new Map([
  ["pass", "p"],
  ["fail", "f"],
  ["needs_review", "o"],
  ["unscored", "u"],
  ["not_scored", "n"],
  ["error", "e"],
]);

/** Letters of the states that filters and groups by metric count as not passed. */
export const NOT_PASSED = "fue";

/**
 * What a flag of the index means (index.py).
 *
 * @type {Record<string, string>}
 */
export const FLAGS = {
  quote: "quote not found",
  hidden: "invisible characters",
  cached: "answer from cache",
  cut: "cut off at the token limit",
  changed: "case differs from the baseline's",
  advice: "checks point at the text",
  disagrees: "disagreement",
  unsteady: "unstable: passes in some runs, fails in others",
};

/** Flags that the head of a case names; the others show in the case itself. */
export const HEAD_FLAGS = new Set(["cached", "cut", "hidden", "changed", "unsteady"]);
