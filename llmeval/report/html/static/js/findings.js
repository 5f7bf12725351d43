// What checks and judges point at in the answer, and which of it is hidden from a blind reviewer.

import { h } from "./dom.js";
import { visible } from "./hidden.js";
import { parentOf } from "./score_parts.js";
import { toUtf16 } from "./text.js";
import { STATUS_TONES } from "./vocabulary.js";

/** @import { Answer, CaseView, Finding, Score, ScoreStatus } from "./types.js" */

/** Findings that are listed at once. */
const SHOWN = 12;

/** Statuses that people can give a verdict on. */
const VOTABLE = new Set(["pass", "fail", "needs_review"]);

/** @param {ScoreStatus} status */
export function isVotable(status) {
  return VOTABLE.has(status);
}

/**
 * Whether a verdict is hidden. A blind reader sees a verdict after their own on that metric, and what
 * checks report after their verdicts on all metrics that were requested.
 *
 * @param {Score} score
 * @param {Score[]} scores All scores of the answer.
 * @param {CaseView} view
 */
export function isHidden(score, scores, view) {
  if (!view.blind) return false;
  const owner = isPart(score, scores, view) ? parentOf(score, scores) : undefined;
  if (owner) return isHidden(owner, scores, view);
  const waiting = (/** @type {Score} */ each) =>
    isVotable(each.status) && !view.labels.ofScore(each);
  const requested = scores.filter((each) => view.isRequested(each) && isVotable(each.status));
  if (waiting(score) && (view.isRequested(score) || !requested.length)) return true;
  return requested.some(waiting) && !requested.includes(score);
}

/**
 * Whether a score is shown in the card of another one, and not in one of its own.
 *
 * @param {Score} score
 * @param {Score[]} scores All scores of the answer.
 * @param {CaseView} view
 */
export function isPart(score, scores, view) {
  return !view.isRequested(score) && parentOf(score, scores) !== undefined;
}

/**
 * Findings of checks and quotes of judges, as numbered marks in the answer.
 *
 * @param {Answer} answer
 * @param {Score[]} scores
 * @param {CaseView} view
 * @returns {Finding[]}
 */
export function collectFindings(answer, scores, view) {
  const shown = scores.filter((score) => !isHidden(score, scores, view));
  const spans = shown.flatMap((score) =>
    (score.evidence ?? []).map((span) => ({
      start: span.start,
      end: span.end,
      metric: score.metric,
      message: span.message,
      rule: span.rule,
      severity: span.severity ?? "error",
      judge: score.source === "judge",
      status: score.status,
    })),
  );
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  return toUtf16(answer.output ?? "", spans).map((span, i) => ({
    ...span,
    number: i + 1,
    id: `mark-${i + 1}`,
    class: span.judge ? `quote ${STATUS_TONES[span.status]}` : `find ${span.severity}`,
    title: `${span.metric}: ${span.message || span.rule}`,
  }));
}

/**
 * The findings as a list; the long tail of a long one at a click.
 *
 * @param {Finding[]} findings
 * @param {CaseView} view
 */
export function findingList(findings, view) {
  if (!findings.length) return null;
  const items = findings.map((finding) => findingItem(finding, view));
  const list = h("ol", { class: "findings" }, items.slice(0, SHOWN));
  const rest = items.slice(SHOWN);
  if (!rest.length) return list;
  const more = `${rest.length} more ${rest.length === 1 ? "finding" : "findings"}`;
  return h(
    "div",
    {},
    list,
    h("details", {}, h("summary", {}, more), h("ol", { class: "findings" }, rest)),
  );
}

/**
 * @param {Finding} finding
 * @param {CaseView} view
 */
function findingItem(finding, view) {
  const { severity, message, metric, rule } = finding;
  const button = h(
    "button",
    { type: "button", class: `finding ${severity}`, onclick: () => view.flash(finding.id) },
    h("span", { class: "severity" }, severity),
    " ",
    visible(message || rule || "finding"),
  );
  const source = ` ${visible(metric)}${rule ? ` · ${visible(rule)}` : ""}`;
  return h("li", { value: finding.number }, button, h("span", { class: "quiet" }, source));
}
