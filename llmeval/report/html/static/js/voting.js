// The reader's verdict on a score, and what other reviewers said.

import { h, status } from "./dom.js";
import { isVotable } from "./findings.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";

/** @import { CaseView, FullRow, Label, Opinion, Score, Tone, Verdict } from "./types.js" */

/** @type {[Verdict, string][]} */
const VERDICTS = [
  ["pass", "Pass"],
  ["fail", "Fail"],
  ["unsure", "Unsure"],
];

/** @type {Record<Verdict, Tone>} */
const VERDICT_TONES = { pass: "pass", fail: "fail", unsure: "unsure", withdrawn: "unsure" };

/**
 * @param {Score} score
 * @param {FullRow} full
 * @param {CaseView} view
 * @param {boolean} hidden Whether the score's own verdict is hidden.
 */
export function voting(score, full, view, hidden) {
  if (!isVotable(score.status) || full.now.answer.error) return null;
  const { labels } = view;
  /** @type {[string, number, string]} */
  const place = [full.case.id, score.repeat ?? 0, score.metric];
  const mine = labels.of(...place);
  const buttons = words(score, hidden).map(([verdict, word]) =>
    h(
      "button",
      {
        type: "button",
        class: "vote",
        "aria-pressed": String(mine?.human_verdict === verdict),
        onclick: () => view.vote(score, verdict),
      },
      word,
    ),
  );
  const group = h(
    "div",
    { class: "votes", role: "group", "aria-label": `Your verdict on ${score.metric}` },
    h("span", { class: "quiet small" }, "Your verdict"),
    buttons,
    mine ? smallButton(commentWord(mine), () => view.comment(score)) : null,
    mine && labels.isLast(...place) ? smallButton("Undo", view.undo) : null,
  );
  const conflict = mine || view.deciding ? labels.conflict(...place) : null;
  return [group, opinions(conflict, labels.others(...place))];
}

/**
 * Agree and disagree where a verdict is shown, else pass and fail.
 *
 * @param {Score} score
 * @param {boolean} hidden
 * @returns {[Verdict, string][]}
 */
function words(score, hidden) {
  if (hidden || score.status === "needs_review") return VERDICTS;
  const agree = score.status === "pass" ? "pass" : "fail";
  return [
    [agree, "Agree"],
    [agree === "pass" ? "fail" : "pass", "Disagree"],
    ["unsure", "Unsure"],
  ];
}

/** @param {Label} label */
function commentWord({ comment }) {
  return comment ? `“${visible(comment)}”` : "Comment";
}

/**
 * @param {string} word
 * @param {() => void} action
 */
function smallButton(word, action) {
  return h("button", { type: "button", class: "ghost small", onclick: action }, word);
}

/**
 * Other people's verdicts. Where they differ, somebody has to decide.
 *
 * @param {Opinion[] | null} conflict
 * @param {Opinion[]} others
 */
function opinions(conflict, others) {
  const shown = conflict ?? others;
  if (!shown.length) return null;
  const title = conflict
    ? "Reviewers differ. Under “To decide”, your verdict settles it."
    : "Other reviewers";
  return h(
    "div",
    { class: `opinions${conflict ? " open" : ""}` },
    h("p", { class: "small quiet" }, title),
    h("ul", { class: "criteria" }, shown.map(opinionItem)),
  );
}

/** @param {Opinion} opinion */
function opinionItem({ human_verdict: verdict, reviewer, adjudication, comment }) {
  return h(
    "li",
    {},
    status(VERDICT_TONES[verdict], verdict),
    " ",
    h("strong", {}, visible(reviewer || "(no name)")),
    adjudication ? " decided" : null,
    comment ? textBlock(comment, [], { class: "text rationale" }) : null,
  );
}
