// The answer, beside the baseline's: word differences, findings, the model's reasoning.

import { diff } from "./diff.js";
import { h, number, shape } from "./dom.js";
import { findingList } from "./findings.js";
import { textBlock } from "./text.js";

/** @import { AnsweredCase, CaseView, Finding, FullRow, RecordedError } from "./types.js" */

/**
 * @param {FullRow} full
 * @param {Finding[]} findings
 * @param {CaseView} view
 * @param {string | null} lang
 */
export function answers(full, findings, view, lang) {
  const { now, before } = full;
  const comparison = compare(full, view);
  const { changes } = comparison;
  const marks = [...(changes?.after ?? []), ...findings];
  const current = h(
    "div",
    { class: "answer now" },
    before ? h("h4", {}, "This run", answerNote(now)) : null,
    answerText(now, marks, { lang, id: "answer" }),
  );
  const earlier = before
    ? h(
        "div",
        { class: "answer was" },
        h("h4", {}, "Baseline", answerNote(before)),
        answerText(before, changes?.before ?? [], { lang }),
      )
    : null;
  return h(
    "section",
    { class: "answers" },
    h("h3", {}, before ? "Answers" : ["Answer", answerNote(now)], comparison.toggle),
    comparison.note ? h("p", { class: "quiet" }, comparison.note) : null,
    h("div", { class: before ? "pair" : "single" }, earlier, current),
    reasoning(now.answer.reasoning, lang),
    findingList(
      findings.filter((finding) => !finding.judge),
      view,
    ),
  );
}

/**
 * Word differences, a note on them, and the button that shows or hides them.
 *
 * @param {FullRow} full
 * @param {CaseView} view
 */
function compare(full, view) {
  const before = full.before?.answer.output;
  if (typeof before !== "string" || full.now.answer.error) return {};
  const after = full.now.answer.output ?? "";
  const changes = view.diff ? diff(before, after) : null;
  if (before === after) {
    return { changes, note: "The same answer as in the baseline." };
  }
  const toggle = h(
    "button",
    {
      type: "button",
      class: "ghost",
      "aria-pressed": String(view.diff),
      onclick: view.toggleDiff,
    },
    "Word differences",
  );
  let note = null;
  if (view.diff && !changes) note = "Too long or too different to compare word by word.";
  else if (changes?.unlike) note = "The two answers have almost nothing in common.";
  return { changes, note, toggle };
}

/**
 * @param {AnsweredCase} side
 * @param {import("./types.js").Mark[]} marks
 * @param {Record<string, string | null>} attributes
 */
function answerText({ answer }, marks, attributes) {
  return answer.error
    ? failedCall(answer.error)
    : textBlock(answer.output ?? "", marks, attributes);
}

/** @param {AnsweredCase} side */
function answerNote({ answer }) {
  const notes = [];
  if (answer.cached) notes.push("from cache");
  if (answer.finish_reason === "length") notes.push("cut off at the token limit");
  return notes.length ? h("span", { class: "aside" }, ` · ${notes.join(" · ")}`) : null;
}

/** @param {RecordedError} error */
function failedCall(error) {
  return h(
    "div",
    { class: "trouble" },
    shape("invalid"),
    h("span", {}, h("strong", {}, `${error.kind} error`), " ", textBlock(error.message)),
  );
}

/**
 * The model's reasoning, closed at first: no check and no judge has seen it.
 *
 * @param {string | null | undefined} text
 * @param {string | null} lang
 */
function reasoning(text, lang) {
  if (!text) return null;
  const size = h("span", { class: "quiet" }, ` not graded, ${number(text.length)} characters`);
  return h(
    "details",
    { class: "block" },
    h("summary", {}, h("h4", {}, "Reasoning"), size),
    textBlock(text, [], { lang }),
  );
}
