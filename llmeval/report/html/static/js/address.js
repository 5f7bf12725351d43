// The page's state is in its address: every view can be linked to, and the back button works.

/** @import { PageState } from "./types.js" */

/** @type {PageState} */
const DEFAULTS = {
  view: "report",
  q: "",
  sort: "triage",
  group: "",
  case: "",
  repeat: "0",
  page: "",
  full: "",
};

/** The address of the reviewer's queue. */
export const REVIEW_QUEUE = "#view=cases&q=review:queue&sort=review";

/** The address of what reviewers differ on. */
export const TO_DECIDE = "#view=cases&q=review:decide";

/** `#case-ID` names a case, as links in comments of a pull request do. */
const CASE_ANCHOR = "#case-";

/**
 * The state that an address names. The hash of a section (`#gate`) is the report.
 *
 * @param {string} hash
 * @returns {PageState}
 */
export function parseAddress(hash) {
  // Decoded as the value of a query, which never fails.
  const text = hash.startsWith(CASE_ANCHOR)
    ? `case=${hash.slice(CASE_ANCHOR.length)}`
    : hash.slice(1);
  const values = Object.fromEntries(new URLSearchParams(text.includes("=") ? text : ""));
  const view = values.case || values.view === "cases" ? "cases" : "report";
  return { ...DEFAULTS, ...values, view };
}

/**
 * The section of the report that an address names; empty when it names a state.
 *
 * @param {string} hash
 */
export function sectionOf(hash) {
  return hash.includes("=") || hash.startsWith(CASE_ANCHOR) ? "" : hash.slice(1);
}

/**
 * The address of a state; what is as usual is left out.
 *
 * @param {PageState} state
 */
export function formatAddress(state) {
  const names = /** @type {(keyof PageState)[]} */ (Object.keys(state));
  const parts = names
    .filter((name) => state[name] !== DEFAULTS[name])
    .map((name) => `${name}=${encode(state[name])}`);
  return `#${parts.join("&") || "decision"}`;
}

/** @param {string} value */
function encode(value) {
  // Colons and plus signs are allowed here, and a query stays readable with them.
  return encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%20", "+");
}

/**
 * The link to a case.
 *
 * @param {string} id
 * @param {number} repeat
 */
export function caseLink(id, repeat) {
  return `#case=${encodeURIComponent(id)}${repeat ? `&repeat=${repeat}` : ""}`;
}
