// One row in full: what was asked, both answers with what changed, every score with its evidence.

import { h, number, shape, status } from "./dom.js";
import { QUEUES, QUEUE_NAMES, STATES } from "./query.js";
import { diff, marksOf, textBlock, visible } from "./text.js";

const TONES = { pass: "pass", fail: "fail", unscored: "unsure", not_scored: "unsure", open: "unsure", error: "invalid", not_applicable: "plain" };
const ASKED = ["question", "input", "prompt", "query", "instruction", "text"];
const SHOWN_DETAILS = new Set(["evidence", "verdict", "quote_found", "criteria", "reply", "prompt", "messages", "rationale"]);
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/** The detail of a row. `view`: {diff, blind, labels, vote(score, verdict), position, flash(id)}. */
export function detail(data, row, full, view) {
  const place = QUEUES[data.columns.queue[row]];
  if (full === null) return h("article", { class: "detail" }, heading(data, row, place, full, view, view.blind), notHeld(data, row));
  const lang = language(full.case);
  const scores = order(full.now.scores, view);
  const secret = scores.some((score) => hides(score, scores, view));
  const findings = collect(full.now.answer, scores, view);
  const parts = [
    heading(data, row, place, full, view, secret),
    asked(full.case, lang),
    answers(full, findings, view, lang),
    h("section", { class: "scores" }, h("h3", {}, "Scores"), scores.map((score) => scoreCard(score, full, findings, view))),
    secret ? null : historyOf(full, data.meta.past),
    about(full, row, data),
  ];
  return h("article", { class: "detail" }, parts);
}

function heading(data, row, place, full, view, secret) {
  const { id, rep, state, tags } = data.columns;
  const [name, tone] = QUEUE_NAMES[place];
  const shown = secret ? status("plain", "Verdict hidden") : status(place === "problem" ? STATES[state[row]][1] : tone, place === "problem" ? `${name}: ${STATES[state[row]][0]}` : name);
  const chips = Object.entries(data.meta.combos[tags[row]] ?? {}).map(([tag, value]) => h("button", { type: "button", class: "chip", title: "Show this slice", onclick: () => view.slice(`${tag}=${value}`) }, visible(`${tag}: ${value}`)));
  const flags = full ? data.meta.flags.filter((flag, bit) => (flag !== "unsteady" || !secret) && data.columns.flags[row] & (1 << bit) && flag in FLAGS) : [];
  return h(
    "header",
    { class: "top" },
    h("p", { class: "line" }, shown, h("span", { class: "quiet" }, view.position)),
    h("h2", { tabindex: "-1", id: "case-title" }, visible(id[row]), rep[row] ? h("span", { class: "quiet" }, ` repeat ${rep[row]}`) : null),
    h("p", { class: "chips" }, chips, flags.map((flag) => h("span", { class: "chip flat" }, FLAGS[flag]))),
  );
}

const FLAGS = { cached: "answer from cache", cut: "cut off at the token limit", hidden: "hidden characters", changed: "case differs from the baseline's", unsteady: "passes and fails by turns" };

function notHeld(data, row) {
  return h(
    "div",
    { class: "note" },
    h("p", {}, "This file lists every row, and holds in full those that did not pass or changed, and a sample of the others. This row is not among them."),
    h("p", {}, "To hold all: ", h("code", {}, "llmeval report RUN --embed all")),
    h("p", { class: "quiet" }, visible(data.columns.ask[row])),
  );
}

function asked(item, lang) {
  const parts = [];
  if (item.messages?.length) {
    for (const message of item.messages) parts.push(block(message.role, message.content, lang));
  } else {
    const names = Object.keys(item.fields ?? {}).filter((name) => !["reference", "references", "context"].includes(name));
    names.sort((a, b) => rank(a) - rank(b));
    for (const name of names) parts.push(block(name, plainText(item.fields[name]), lang));
  }
  const known = [];
  const references = item.references ?? [];
  if (references.length) {
    known.push(h("div", { class: "block reference" }, h("h4", {}, references.length > 1 ? "references (any is right)" : "reference"), references.map((text) => textBlock(text, [], { lang }))));
  }
  if (item.facts?.length) known.push(h("details", { class: "block", open: !references.length }, h("summary", {}, h("h4", {}, "facts")), tree(item.facts)));
  const body = !parts.length ? h("p", { class: "quiet" }, "The run does not hold this case's text.") : known.length ? h("div", { class: "sides" }, h("div", {}, parts), h("div", {}, known)) : parts;
  return h("section", { class: "asked" }, h("h3", {}, "Asked"), body, item.context ? folded("context", item.context, lang) : null);
}

function rank(name) {
  const at = ASKED.indexOf(name);
  return at < 0 ? ASKED.length : at;
}

function block(name, text, lang) {
  return text.length > 1500 ? folded(name, text, lang) : h("div", { class: "block" }, h("h4", {}, visible(name)), textBlock(text, [], { lang }));
}

function folded(name, text, lang) {
  const open = text.length <= 600;
  return h("details", { class: "block", open }, h("summary", {}, h("h4", {}, visible(name)), h("span", { class: "quiet" }, ` ${number(text.length)} characters`)), textBlock(text, [], { lang }));
}

/** Findings of checks and quotes of judges, as marks in the answer; each finding gets a number. */
function collect(answer, scores, view) {
  const spans = [];
  for (const score of scores) {
    if (hides(score, scores, view)) continue;
    for (const span of score.evidence ?? []) {
      spans.push({ start: span.start, end: span.end, metric: score.metric, message: span.message, rule: span.rule, severity: span.severity ?? "error", judge: score.source === "judge", status: score.status });
    }
  }
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  const text = answer.output ?? "";
  return marksOf(text, spans).map((mark, i) => ({
    ...mark,
    number: i + 1,
    id: `mark-${i + 1}`,
    class: mark.judge ? `quote ${TONES[mark.status]}` : `find ${mark.severity}`,
    title: `${mark.metric}: ${mark.message || mark.rule}`,
  }));
}

/** The model's reasoning, closed at first: no check and no judge has seen it. */
function thoughts(text, lang) {
  return text ? h("details", { class: "block" }, h("summary", {}, h("h4", {}, "Reasoning"), h("span", { class: "quiet" }, ` not graded, ${number(text.length)} characters`)), textBlock(text, [], { lang })) : null;
}

function answers(full, findings, view, lang) {
  const after = full.now.answer.output ?? "";
  const before = full.before?.answer.output;
  const compared = typeof before === "string" && full.now.answer.error == null;
  const changes = compared && view.diff ? diff(before, after) : null;
  const note = !compared ? null : before === after ? "Byte for byte the same answer as in the baseline." : changes === null && view.diff ? "Too long or too different to compare word by word." : changes?.unlike ? "The two answers have almost nothing in common." : null;
  const now = h("div", { class: "answer now" }, full.before ? h("h4", {}, "This run", answerNote(full.now)) : null, full.now.answer.error ? problem(full.now.answer.error) : textBlock(after, [...(changes?.after ?? []), ...findings], { lang, id: "answer" }));
  const both = [now];
  if (full.before) {
    both.unshift(h("div", { class: "answer was" }, h("h4", {}, "Baseline", answerNote(full.before)), full.before.answer.error ? problem(full.before.answer.error) : textBlock(before ?? "", changes?.before ?? [], { lang })));
  }
  const toggle = compared && before !== after ? h("button", { type: "button", class: "ghost", "aria-pressed": String(view.diff), onclick: view.toggleDiff }, "Word differences") : null;
  return h("section", { class: "answers" }, h("h3", {}, full.before ? "Answers" : ["Answer", answerNote(full.now)], toggle), note ? h("p", { class: "quiet" }, note) : null, h("div", { class: both.length > 1 ? "pair" : "single" }, both), thoughts(full.now.answer.reasoning, lang), findingList(findings.filter((mark) => !mark.judge), view));
}

function answerNote(side) {
  const { finish_reason: reason, cached } = side.answer;
  const said = [cached ? "from cache" : null, reason === "length" ? "cut off at the token limit" : null].filter(Boolean);
  return said.length ? h("span", { class: "aside" }, ` · ${said.join(" · ")}`) : null;
}

function problem(error) {
  return h("div", { class: "trouble" }, shape("invalid"), h("span", {}, h("strong", {}, `${error.kind} error`), " ", textBlock(error.message)));
}

function findingList(findings, view) {
  if (!findings.length) return null;
  const items = findings.map((mark) =>
    h("li", { value: mark.number }, h("button", { type: "button", class: `finding ${mark.severity}`, onclick: () => view.flash(mark.id) }, h("span", { class: "severity" }, mark.severity), " ", visible(mark.message || mark.rule || "finding")), h("span", { class: "quiet" }, ` ${visible(mark.metric)}${mark.rule ? ` · ${visible(mark.rule)}` : ""}`)),
  );
  const list = h("ol", { class: "findings" }, items.slice(0, 12));
  return items.length > 12 ? h("div", {}, list, h("details", {}, h("summary", {}, `${items.length - 12} more ${items.length === 13 ? "finding" : "findings"}`), h("ol", { class: "findings" }, items.slice(12)))) : list;
}

/** The worst first. While a verdict is hidden the order must not tell it, and a vote must not move what was voted on: then
 *  what is voted on comes first, as recorded. */
function order(scores, view) {
  const last = (score) => Number(!view.asked(score));
  if (view.labels.server || scores.some((score) => hides(score, scores, view))) return [...scores].sort((a, b) => last(a) - last(b));
  const ranks = { error: 0, unscored: 1, not_scored: 2, fail: 3, open: 4, pass: 5, not_applicable: 6 };
  return [...scores].sort((a, b) => ranks[a.status] - ranks[b.status]);
}

/** Blind: a verdict shows after the reader's own on that metric; what checks say, after the votes on all metrics asked about. */
function hides(score, scores, view) {
  if (!view.blind) return false;
  const open = (each) => VOTABLE.has(each.status) && !view.labels.of(each.case_id, each.repeat ?? 0, each.metric);
  const asked = scores.filter((each) => view.asked(each) && VOTABLE.has(each.status));
  return open(score) && (view.asked(score) || !asked.length) ? true : asked.some(open) && !asked.includes(score);
}

function scoreCard(score, full, findings, view) {
  const secret = hides(score, full.now.scores, view);
  const before = full.before?.scores.find((other) => other.metric === score.metric);
  const trust = view.trust[score.metric];
  const title = h(
    "h4",
    {},
    secret ? status("plain", "hidden") : status(TONES[score.status], score.status.replace("_", " ")),
    h("span", { class: "metric" }, visible(score.metric)),
    !secret && score.value !== null && score.value !== undefined ? h("span", { class: "num" }, format(score.value)) : null,
    !secret && before && before.status !== score.status ? h("span", { class: "was" }, `was ${before.status.replace("_", " ")}`) : null,
    score.source === "judge" ? h("span", { class: `badge ${trust === "TRUSTED" ? "trusted" : "untrusted"}` }, shape(trust === "TRUSTED" ? "pass" : "unsure"), ` ${trust ?? "UNTRUSTED"} judge`) : null,
  );
  const body = secret ? h("p", { class: "quiet" }, "The verdict is hidden until you give yours, so that it can't sway you.") : explanation(score, full, findings, view);
  return h("article", { class: `score ${secret ? "plain" : TONES[score.status]}` }, title, body, voting(score, full, view, secret));
}

function explanation(score, full, findings, view) {
  const details = score.details ?? {};
  const criteria = criteriaOf(details);
  const facts = [
    score.confidence !== null && score.confidence !== undefined ? `${Math.round(score.confidence * 100)}% sure` : null,
    score.cached ? "from cache" : null,
    score.attempts > 1 ? `${score.attempts} attempts` : null,
  ].filter(Boolean);
  const rest = Object.fromEntries(Object.entries(details).filter(([name]) => !SHOWN_DETAILS.has(name)));
  return [
    score.unscored || score.reason ? textBlock(score.unscored || score.reason, [], { class: "text reason" }) : null,
    details.rationale ? textBlock(String(details.rationale), [], { class: "text rationale" }) : null,
    details.quote_found === false ? missing(details.evidence) : null,
    findings.filter((mark) => mark.judge && mark.metric === score.metric).map((mark) => h("button", { type: "button", class: "chip", onclick: () => view.flash(mark.id) }, `Show the quote in the answer (${mark.number})`)),
    criteria.length ? h("ul", { class: "criteria" }, criteria.map((criterion) => criterionItem(criterion, full.now.answer.output ?? ""))) : null,
    Object.keys(rest).length ? h("details", {}, h("summary", {}, "Details"), tree(rest)) : null,
    details.prompt || details.messages ? raw("Prompt as sent", details.prompt ?? details.messages) : null,
    details.reply ? raw("Reply as received", details.reply) : null,
    facts.length ? h("p", { class: "quiet small" }, facts.join(" · ")) : null,
  ];
}

function missing(quote) {
  return h("p", { class: "warn" }, shape("invalid"), h("span", {}, h("strong", {}, "Quote not found."), " The judge's quote is not in the answer: ", h("q", {}, visible(String(quote ?? "")))));
}

/** A judge's criteria from either shape: a list of objects, or an object by name. */
function criteriaOf(details) {
  const found = details.criteria;
  if (Array.isArray(found)) return found;
  if (found && typeof found === "object") return Object.entries(found).map(([name, value]) => (value && typeof value === "object" ? { name, ...value } : { name, verdict: value }));
  return [];
}

function criterionItem(criterion, answer) {
  const passed = criterion.passed ?? (typeof criterion.verdict === "boolean" ? criterion.verdict : null);
  const quote = String(criterion.evidence ?? criterion.quote ?? "").trim();
  const found = !quote || (criterion.quote_found ?? answer.includes(quote.replace(/^["'“”‘’\s]+|["'“”‘’\s]+$/g, "")));
  const word = passed === null ? visible(String(criterion.verdict ?? "–")) : passed ? "pass" : "fail";
  return h(
    "li",
    {},
    status(passed === null ? "plain" : passed ? "pass" : "fail", word),
    " ",
    h("strong", {}, visible(String(criterion.name ?? criterion.id ?? criterion.criterion ?? "criterion"))),
    criterion.rationale ?? criterion.reason ? textBlock(String(criterion.rationale ?? criterion.reason), [], { class: "text rationale" }) : null,
    quote ? (found ? h("p", { class: "quoted" }, h("q", {}, visible(quote))) : missing(quote)) : null,
  );
}

function raw(title, value) {
  return h("details", {}, h("summary", {}, title), textBlock(plainText(value), [], { class: "text mono" }));
}

const VOTABLE = new Set(["pass", "fail", "open"]);
const VOTES = { pass: "Pass", fail: "Fail", unsure: "Unsure" };

function voting(score, full, view, secret) {
  if (!VOTABLE.has(score.status) || full.now.answer.error) return null;
  const place = [full.case.id, score.repeat ?? 0, score.metric];
  const mine = view.labels.of(...place);
  const words = secret || score.status === "open" ? VOTES : { [score.status]: "Agree", [score.status === "pass" ? "fail" : "pass"]: "Disagree", unsure: "Unsure" };
  const buttons = Object.entries(words).map(([verdict, word]) => h("button", { type: "button", class: "vote", "aria-pressed": String(mine?.human_verdict === verdict), onclick: () => view.vote(score, verdict) }, word));
  const group = h("div", { class: "votes", role: "group", "aria-label": `Your verdict on ${score.metric}` }, h("span", { class: "quiet small" }, "Your verdict"), buttons, mine ? h("button", { type: "button", class: "ghost small", onclick: () => view.comment(score) }, mine.comment ? `“${visible(mine.comment)}”` : "Comment") : null, mine && view.labels.last(...place) ? h("button", { type: "button", class: "ghost small", onclick: view.undo }, "Undo") : null);
  return [group, opinions(mine || view.deciding ? view.labels.conflict(...place) : null, view.labels.others(...place))];
}

/** What people said: where they differ, somebody has to decide. */
function opinions(conflict, others) {
  const said = conflict ?? others;
  if (!said.length) return null;
  const lines = said.map((each) => h("li", {}, status(TONES[each.human_verdict] ?? "unsure", each.human_verdict), " ", h("strong", {}, visible(each.reviewer || "(no name)")), each.adjudication ? " decided" : null, each.comment ? textBlock(each.comment, [], { class: "text rationale" }) : null));
  return h("div", { class: `opinions${conflict ? " open" : ""}` }, h("p", { class: "small quiet" }, conflict ? "Reviewers differ. In “To decide”, your vote decides." : "Other reviewers"), h("ul", { class: "criteria" }, lines));
}

const PAST = { p: ["passed", "pass"], f: ["failed", "fail"], o: ["open", "unsure"], u: ["unscored", "unsure"], n: ["not scored yet", "unsure"], e: ["error", "invalid"], "-": ["not applicable", "plain"], c: ["the case asked something else", "plain"], ".": ["no score", "plain"] };

/** What became of this case in past runs: a line a metric, a mark a run, oldest first; each leads to that run's report. */
function historyOf(full, runs) {
  const metrics = full.now.scores.map((score) => score.metric).filter((metric) => full.past?.[metric]);
  if (!metrics.length) return null;
  const mark = (letter, run) => {
    const [word, tone] = PAST[letter];
    const text = `${run.when}: ${word}${run.candidate ? ` (${visible(run.candidate)})` : ""}`;
    const inside = [letter === "c" || letter === "." ? h("i", { class: "gap" }) : shape(tone), h("span", { class: "sr" }, text)];
    return h("li", {}, run.href ? h("a", { href: `${run.href}#case=${encodeURIComponent(full.case.id)}`, title: text }, inside) : h("span", { title: text }, inside));
  };
  const lines = metrics.map((metric) => {
    const score = full.now.scores.find((each) => each.metric === metric);
    const marks = [...full.past[metric]].map((letter, i) => mark(letter, runs[i]));
    return h("tr", {}, h("th", { scope: "row" }, visible(metric)), h("td", {}, h("ul", { class: "past" }, marks)), h("td", { class: "today" }, status(TONES[score.status], score.status.replace("_", " "))));
  });
  const ends = runs.length < 10 ? null : h("p", { class: "ends quiet" }, h("span", {}, runs[0].when), h("span", {}, runs.at(-1).when));
  const head = `${number(runs.length)} past ${runs.length === 1 ? "run" : "runs, oldest first"}`;
  return h("section", { class: "history" }, h("h3", {}, "History"), h("table", {}, h("caption", { class: "sr" }, "This case in past runs, oldest first"), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Metric"), h("th", { scope: "col" }, head, ends), h("th", { scope: "col" }, "This run"))), h("tbody", {}, lines)));
}

function about(full, row, data) {
  const { answer } = full.now;
  const usage = answer.usage ?? {};
  const pairs = {
    Model: answer.model,
    Fingerprint: answer.fingerprint,
    Latency: answer.latency_ms == null ? null : `${number(Math.round(answer.latency_ms))} ms`,
    Tokens: usage.input_tokens == null && usage.output_tokens == null ? null : `${usage.input_tokens ?? "?"} in, ${usage.output_tokens ?? "?"} out`,
    Cost: answer.cost_usd == null ? null : `$${answer.cost_usd}`,
    "Finish reason": answer.finish_reason,
    Attempts: answer.attempts || null,
    "From cache": answer.cached ? "yes" : null,
    Source: full.case.source,
    Cluster: full.case.cluster,
    Request: answer.request,
    "Case digest": full.case.digest,
    Judge: [...new Set(full.now.scores.map((score) => score.judge).filter(Boolean))].join(", "),
  };
  const known = Object.entries(pairs).filter(([, value]) => value);
  return h("details", { class: "about" }, h("summary", {}, "About this answer"), h("dl", { class: "pairs" }, known.map(([name, value]) => [h("dt", {}, name), h("dd", {}, visible(String(value)))])), answer.tool_calls?.length ? [h("h4", {}, "Tool calls"), tree(answer.tool_calls)] : null);
}

/** Any JSON as nested lists of text. */
export function tree(value, depth = 0) {
  if (value === null || typeof value !== "object" || depth > 6) return h("span", { class: "text inline" }, visible(plainText(value)));
  const entries = Array.isArray(value) ? value.map((item, i) => [String(i + 1), item]) : Object.entries(value);
  if (!entries.length) return h("span", { class: "quiet" }, "none");
  return h("dl", { class: "tree" }, entries.slice(0, 200).map(([name, item]) => [h("dt", {}, visible(name.replaceAll("_", " "))), h("dd", {}, tree(item, depth + 1))]));
}

function plainText(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "";
}

function format(value) {
  return value === 0 || value === 1 ? String(value) : value.toFixed(2);
}

function language(item) {
  const named = [item.tags?.lang, item.tags?.language, item.fields?.lang, item.fields?.language].find((value) => typeof value === "string" && LANGUAGE.test(value));
  return named ?? null;
}
