// The answer next to the baseline's: word differences, findings, the model's reasoning. The answer of
// a conversation is shown turn by turn.

import { conversation } from "./conversation.js";
import { diff } from "./diff.js";
import { h, number, shape } from "./dom.js";
import { findingList } from "./findings.js";
import { textBlock } from "./text.js";

/** @import { AnsweredCase, CaseView, Finding, FullRow, Mark, RecordedError } from "./types.js" */

/**
 * @param {FullRow} full
 * @param {Finding[]} findings
 * @param {string[]} problems By the number of the tool call; empty where nothing is wrong.
 * @param {CaseView} view
 * @param {string | null} lang
 */
export function answers(full, findings, problems, view, lang) {
  const { now, before } = full;
  const comparison = compare(full, view);
  const { changes } = comparison;
  const talks = hasTurns(now) || (before !== undefined && hasTurns(before));
  const one = talks ? "Conversation" : "Answer";
  const marks = hasTurns(now) ? findings : [...(changes?.after ?? []), ...findings];
  const current = h(
    "div",
    { class: "answer now" },
    before ? h("h4", {}, "This run", answerNote(now)) : null,
    side(now, before, { marks, problems, lang, id: "answer" }, view),
  );
  const earlier = before
    ? h(
        "div",
        { class: "answer was" },
        h("h4", {}, "Baseline", answerNote(before)),
        side(before, now, { marks: changes?.before ?? [], problems: [], lang }, view),
      )
    : null;
  return h(
    "section",
    { class: "answers" },
    h("h3", {}, before ? `${one}s` : [one, answerNote(now)], comparison.toggle),
    comparison.note ? h("p", { class: "quiet" }, comparison.note) : null,
    h("div", { class: before ? "pair" : "single" }, earlier, current),
    reasoning(now.answer.reasoning, lang),
    findingList(
      findings.filter((finding) => !finding.judge),
      view,
    ),
  );
}

/** @param {AnsweredCase} answered */
function hasTurns({ answer }) {
  return Boolean(answer.turns?.length);
}

/**
 * One of the two answers: its turns, or its text.
 *
 * @param {AnsweredCase} own
 * @param {AnsweredCase | undefined} other
 * @param {{ marks: Mark[], problems: string[], lang: string | null, id?: string }} about
 * @param {CaseView} view
 */
function side(own, other, { marks, problems, lang, id }, view) {
  if (!hasTurns(own)) return answerText(own, marks, { lang, id: id ?? null });
  const kind = id ? "ins" : "del";
  const shown = {
    answer: own.answer,
    marks: id ? marks : [],
    problems,
    failed: failedCall,
    lang,
    id,
  };
  return conversation(shown, other?.answer.turns ?? null, kind, view);
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
  if (before === after && sameTurns(full)) {
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
 * Whether both conversations have the same texts.
 *
 * @param {FullRow} full
 */
function sameTurns({ now, before }) {
  const texts = (/** @type {AnsweredCase | undefined} */ each) =>
    JSON.stringify((each?.answer.turns ?? []).map((turn) => [turn.user, turn.output]));
  return texts(now) === texts(before);
}

/**
 * @param {AnsweredCase} side
 * @param {Mark[]} marks
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
