// One row in full: the question, both answers with what changed, every score with its evidence.

import { answers } from "./answers.js";
import { caseComments } from "./case_comments.js";
import { caseHistory } from "./case_history.js";
import { h, number, status } from "./dom.js";
import { collectFindings, isHidden, isPart } from "./findings.js";
import { visible } from "./hidden.js";
import { passageSection } from "./passages.js";
import { language, question } from "./question.js";
import { scoreCard } from "./score_card.js";
import { callProblems, callSection, missingCalls } from "./tool_calls.js";
import { traceSection } from "./trace_steps.js";
import { tree } from "./tree.js";
import { FLAGS, HEAD_FLAGS, QUEUES, rowName } from "./vocabulary.js";

/** @import { CaseView, FullRow, Json, Score, ScoreStatus } from "./types.js" */
/** @typedef {import("./data.js").Data} Data */

/**
 * @param {Data} data
 * @param {number} row
 * @param {FullRow | null} full Null when this file does not hold the row in full.
 * @param {CaseView} view
 */
export function detail(data, row, full, view) {
  if (!full) {
    const parts = [caseHeading(data, row, full, view, view.blind), notHeld(data, row)];
    return h("article", { class: "detail" }, parts);
  }
  const lang = language(full.case);
  const scores = order(full.now.scores, view);
  const cards = scores.filter((score) => !isPart(score, scores, view));
  const shown = scores.filter((score) => !isHidden(score, scores, view));
  const hidden = shown.length < scores.length;
  const findings = collectFindings(full.now.answer, scores, view);
  const wrong = callProblems(shown);
  const passages = passageSection(full, shown);
  return h(
    "article",
    { class: "detail" },
    caseHeading(data, row, full, view, hidden),
    question(
      full.case,
      lang,
      (full.now.answer.turns ?? []).map((turn) => turn.user),
    ),
    answers(full, findings, wrong.problems, view, lang),
    calls(full, wrong),
    passages,
    h(
      "section",
      { class: "scores" },
      h("h3", {}, "Scores"),
      cards.map((score) => scoreCard(score, full, findings, view, data.meta)),
    ),
    returned(full.now.answer.data ?? {}, passages === null),
    traceSection(full.now.answer.trace),
    hidden ? null : caseHistory(full, data.meta.past),
    caseComments(full.case.id, view),
    about(full),
  );
}

/**
 * @param {Data} data
 * @param {number} row
 * @param {FullRow | null} full
 * @param {CaseView} view
 * @param {boolean} hidden Whether a verdict of this row is hidden.
 */
function caseHeading(data, row, full, view, hidden) {
  const { id, rep, queue, state } = data.columns;
  const { word, tone } = rowName(data.meta, QUEUES[queue[row]], state[row]);
  const repeat = rep[row] ? h("span", { class: "quiet" }, ` repeat ${rep[row]}`) : null;
  return h(
    "header",
    { class: "top" },
    h(
      "p",
      { class: "line" },
      hidden ? status("plain", "Verdict hidden") : status(tone, word),
      h("span", { class: "quiet" }, view.position),
    ),
    h("h2", { tabindex: "-1", id: "case-title" }, visible(id[row]), repeat),
    h("p", { class: "chips" }, tagChips(data, row, view), full ? flagChips(data, row, hidden) : []),
  );
}

/**
 * @param {Data} data
 * @param {number} row
 * @param {CaseView} view
 */
function tagChips({ columns, meta }, row, view) {
  return Object.entries(meta.combos[columns.tags[row]] ?? {}).map(([tag, value]) =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        title: "Show this slice",
        onclick: () => view.slice(`${tag}=${value}`),
      },
      visible(`${tag}: ${value}`),
    ),
  );
}

/**
 * @param {Data} data
 * @param {number} row
 * @param {boolean} hidden
 */
function flagChips({ columns, meta }, row, hidden) {
  const flags = meta.flags.filter((flag, bit) => {
    const telling = flag === "unsteady" && hidden; // past verdicts hint at this one
    return HEAD_FLAGS.has(flag) && columns.flags[row] & (1 << bit) && !telling;
  });
  return flags.map((flag) => h("span", { class: "chip flat" }, FLAGS[flag]));
}

/**
 * @param {Data} data
 * @param {number} row
 */
function notHeld(data, row) {
  return h(
    "div",
    { class: "note" },
    h(
      "p",
      {},
      "This file lists every answer. In full it holds those that did not pass or have changed, and a sample of the others. This answer is not one of them.",
    ),
    h("p", {}, "To include all answers: ", h("code", {}, "llmeval report RUN --embed all")),
    h("p", { class: "quiet" }, visible(data.columns.ask[row])),
  );
}

/** @type {Record<ScoreStatus, number>} */
const STATUS_ORDER = {
  error: 0,
  unscored: 1,
  not_scored: 2,
  fail: 3,
  needs_review: 4,
  pass: 5,
  not_applicable: 6,
};

/**
 * The worst score first. While a verdict is hidden the order must not reveal it, and a vote must not
 * move the score it is about: then what is voted on comes first, as recorded.
 *
 * @param {Score[]} scores
 * @param {CaseView} view
 */
function order(scores, view) {
  if (view.labels.server || scores.some((score) => isHidden(score, scores, view))) {
    const rank = (/** @type {Score} */ score) => Number(!view.isRequested(score));
    return [...scores].sort((a, b) => rank(a) - rank(b));
  }
  return [...scores].sort((a, b) => STATUS_ORDER[a.status] - STATUS_ORDER[b.status]);
}

/**
 * The tool calls of an answer. Those of a conversation stand in its turns, except the missing ones.
 *
 * @param {FullRow} full
 * @param {ReturnType<typeof callProblems>} wrong
 */
function calls({ now, before }, wrong) {
  if (now.answer.turns?.length) {
    if (!wrong.missing.length) return null;
    const list = missingCalls(wrong.missing);
    return h("section", { class: "called" }, h("h3", {}, "Missing tool calls"), list);
  }
  const mine = now.answer.tool_calls ?? [];
  const theirs = before?.answer.tool_calls ?? [];
  const same = JSON.stringify(mine) === JSON.stringify(theirs);
  const names = theirs.map((call) => call.name).join(", ") || "none";
  const note = before && !same ? `In the baseline: ${visible(names)}` : null;
  return callSection(mine, wrong, note);
}

/**
 * What the application returned next to the text.
 *
 * @param {{ [name: string]: Json }} data
 * @param {boolean} open Closed where most of it is shown already.
 */
function returned(data, open) {
  if (!Object.keys(data).length) return null;
  return h(
    "details",
    { class: "about", open },
    h("summary", {}, "Data of this answer"),
    tree(data),
  );
}

/** @param {FullRow} full */
function about(full) {
  const { answer } = full.now;
  const usage = answer.usage ?? {};
  const latency = answer.latency_ms;
  const counted = usage.input_tokens != null || usage.output_tokens != null;
  const tokens = `${usage.input_tokens ?? "?"} in, ${usage.output_tokens ?? "?"} out`;
  const judges = new Set(full.now.scores.map((score) => score.judge).filter(Boolean));
  const pairs = {
    Model: answer.model,
    Fingerprint: answer.fingerprint,
    Latency: latency == null ? null : `${number(Math.round(latency))} ms`,
    Tokens: counted ? tokens : null,
    Cost: answer.cost_usd == null ? null : `$${answer.cost_usd}`,
    "Finish reason": answer.finish_reason,
    Attempts: answer.attempts,
    "From cache": answer.cached ? "yes" : null,
    Answered: answer.answered_at,
    "From run": answer.reused_from,
    Source: full.case.source,
    Cluster: full.case.cluster,
    Request: answer.request,
    "Case digest": full.case.digest,
    Judge: [...judges].join(", "),
  };
  const lines = Object.entries(pairs)
    .filter(([, value]) => value)
    .map(([name, value]) => [h("dt", {}, name), h("dd", {}, visible(String(value)))]);
  return h(
    "details",
    { class: "about" },
    h("summary", {}, "About this answer"),
    h("dl", { class: "pairs" }, lines),
  );
}
