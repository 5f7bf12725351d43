// A score: its verdict, the reason and evidence for it, and what people say about it.

import { h, shape, status } from "./dom.js";
import { isHidden } from "./findings.js";
import { visible } from "./hidden.js";
import { ownReason, partTable } from "./score_parts.js";
import { textBlock } from "./text.js";
import { plainText, tree } from "./tree.js";
import { STATUS_HELP, STATUS_TONES, statusWord } from "./vocabulary.js";
import { voting } from "./voting.js";

/** @import { CaseView, Finding, FullRow, Json, Meta, Score } from "./types.js" */
/** @typedef {{ [name: string]: Json }} Details */

const TRUSTED_HELP = "Human labels show that this judge is right often enough.";
const UNTRUSTED_HELP =
  "No human labels show yet that this judge is right often enough. By itself it can't make a rule pass.";

/** Details that have a place of their own. */
const SHOWN_DETAILS = new Set([
  "evidence",
  "verdict",
  "quote_found",
  "criteria",
  "reply",
  "prompt",
  "messages",
  "rationale",
  "retrieved",
  "missing",
  "calls",
  "problems",
]);

/**
 * @param {Score} score
 * @param {FullRow} full
 * @param {Finding[]} findings
 * @param {CaseView} view
 * @param {Meta} meta
 */
export function scoreCard(score, full, findings, view, meta) {
  const hidden = isHidden(score, full.now.scores, view);
  const body = hidden
    ? h(
        "p",
        { class: "quiet" },
        "The verdict is hidden until you give yours, so that it can't influence you.",
      )
    : explanation(score, full, findings, view);
  return h(
    "article",
    { class: `score ${hidden ? "plain" : STATUS_TONES[score.status]}` },
    scoreHeading(score, full, meta, hidden),
    body,
    voting(score, full, view, hidden),
  );
}

/**
 * @param {Score} score
 * @param {FullRow} full
 * @param {Meta} meta
 * @param {boolean} hidden
 */
function scoreHeading(score, full, meta, hidden) {
  const metric = h("span", { class: "metric" }, visible(score.metric));
  const badge = score.source === "judge" ? trustBadge(meta.judges[score.metric]) : null;
  if (hidden) return h("h4", {}, status("plain", "hidden"), metric, badge);
  const before = full.before?.scores.find((other) => other.metric === score.metric);
  const moved = before && before.status !== score.status;
  return h(
    "h4",
    {},
    status(STATUS_TONES[score.status], statusWord(score.status), STATUS_HELP[score.status]),
    metric,
    score.value == null ? null : h("span", { class: "num" }, format(score.value)),
    moved ? h("span", { class: "was" }, `was ${statusWord(before.status)}`) : null,
    badge,
  );
}

/** @param {string | null | undefined} trust */
function trustBadge(trust) {
  const trusted = trust === "TRUSTED";
  return h(
    "span",
    {
      class: `badge ${trusted ? "trusted" : "untrusted"}`,
      title: trusted ? TRUSTED_HELP : UNTRUSTED_HELP,
    },
    shape(trusted ? "pass" : "unsure"),
    ` ${trusted ? "trusted" : "UNTRUSTED"} judge`,
  );
}

/**
 * @param {Score} score
 * @param {FullRow} full
 * @param {Finding[]} findings
 * @param {CaseView} view
 */
function explanation(score, full, findings, view) {
  const details = score.details ?? {};
  const reason = ownReason(score, full.now.scores);
  const quotes = findings.filter((mark) => mark.judge && mark.metric === score.metric);
  const criteria = criteriaOf(details);
  const answer = full.now.answer.output ?? "";
  const rest = Object.entries(details).filter(([name]) => !SHOWN_DETAILS.has(name));
  const prompt = details.prompt ?? details.messages;
  return [
    reason ? textBlock(reason, [], { class: "text reason" }) : null,
    partTable(score, full),
    details.rationale ? rationale(details.rationale) : null,
    details.quote_found === false ? quoteNotFound(details.evidence) : null,
    ...quotes.map((mark) => quoteButton(mark, view)),
    criteria.length
      ? h(
          "ul",
          { class: "criteria" },
          criteria.map((criterion) => criterionItem(criterion, answer)),
        )
      : null,
    rest.length
      ? h("details", {}, h("summary", {}, "Details"), tree(Object.fromEntries(rest)))
      : null,
    prompt ? raw("Prompt as sent", prompt) : null,
    details.reply ? raw("Reply as received", details.reply) : null,
    circumstances(score),
  ];
}

/** @param {Score} score */
function circumstances(score) {
  const notes = [];
  if (score.confidence != null)
    notes.push(`${Math.round(score.confidence * 100)}% sure of this verdict`);
  if (score.cached) notes.push("from cache");
  if ((score.attempts ?? 0) > 1) notes.push(`${score.attempts} attempts`);
  return notes.length ? h("p", { class: "quiet small" }, notes.join(" · ")) : null;
}

/**
 * @param {Finding} mark
 * @param {CaseView} view
 */
function quoteButton(mark, view) {
  return h(
    "button",
    { type: "button", class: "chip", onclick: () => view.flash(mark.id) },
    `Show the quote in the answer (${mark.number})`,
  );
}

/** @param {Json | undefined} quote */
function quoteNotFound(quote) {
  return h(
    "p",
    { class: "warn" },
    shape("invalid"),
    h(
      "span",
      {},
      h("strong", {}, "Quote not found."),
      " The judge's quote is not in the answer: ",
      h("q", {}, visible(String(quote ?? ""))),
    ),
  );
}

/**
 * A judge's criteria. Prompts ask for them in two shapes: a list of objects, or an object by name.
 *
 * @param {Details} details
 * @returns {Details[]}
 */
function criteriaOf({ criteria }) {
  if (!criteria || typeof criteria !== "object") return [];
  if (Array.isArray(criteria)) {
    return /** @type {Details[]} */ (criteria.filter((each) => isObject(each)));
  }
  return Object.entries(criteria).map(([name, value]) => ({
    name,
    ...(isObject(value) ? value : { verdict: value }),
  }));
}

/**
 * @param {Json} value
 * @returns {value is Details}
 */
function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * @param {Details} criterion
 * @param {string} answer
 */
function criterionItem(criterion, answer) {
  const name = criterion.name ?? criterion.id ?? criterion.criterion ?? "criterion";
  const reason = criterion.rationale ?? criterion.reason;
  return h(
    "li",
    {},
    criterionStatus(criterion),
    " ",
    h("strong", {}, visible(String(name))),
    reason ? rationale(reason) : null,
    criterionQuote(criterion, answer),
  );
}

/** @param {Details} criterion */
function criterionStatus({ passed, verdict }) {
  const value = passed ?? (typeof verdict === "boolean" ? verdict : null);
  if (value === null) return status("plain", visible(String(verdict ?? "–")));
  return value ? status("pass", "pass") : status("fail", "fail");
}

/**
 * @param {Details} criterion
 * @param {string} answer
 */
function criterionQuote(criterion, answer) {
  const quote = String(criterion.evidence ?? criterion.quote ?? "").trim();
  if (!quote) return null;
  const words = quote.replace(/^["'“”‘’\s]+|["'“”‘’\s]+$/g, "");
  if (!(criterion.quote_found ?? answer.includes(words))) return quoteNotFound(quote);
  return h("p", { class: "quoted" }, h("q", {}, visible(quote)));
}

/** @param {Json} text */
function rationale(text) {
  return textBlock(String(text), [], { class: "text rationale" });
}

/**
 * @param {string} title
 * @param {Json} value
 */
function raw(title, value) {
  const text = textBlock(plainText(value), [], { class: "text mono" });
  return h("details", {}, h("summary", {}, title), text);
}

/** @param {number} value */
function format(value) {
  return value === 0 || value === 1 ? String(value) : value.toFixed(2);
}
