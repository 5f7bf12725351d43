// The further metrics of one check, such as the fields of a record: one table in the check's card
// instead of a card each.

import { h, status } from "./dom.js";
import { visible } from "./hidden.js";
import { STATUS_TONES, statusWord } from "./vocabulary.js";

/** @import { FullRow, Json, Score } from "./types.js" */

/**
 * The score that another one is a part of: of `json_fields.total`, the one of `json_fields`.
 *
 * @param {Score} score
 * @param {Score[]} scores All scores of the answer.
 * @returns {Score | undefined}
 */
export function parentOf(score, scores) {
  if ((score.source ?? "check") !== "check" || score.evidence?.length) return undefined;
  const owners = scores.filter(
    (other) => (other.source ?? "check") === "check" && score.metric.startsWith(`${other.metric}.`),
  );
  owners.sort((a, b) => b.metric.length - a.metric.length);
  return owners[0];
}

/**
 * The reason of a score without what the table of its fields shows.
 *
 * @param {Score} score
 * @param {Score[]} scores All scores of the answer.
 */
export function ownReason(score, scores) {
  let reason = score.unscored || score.reason || "";
  for (const part of scores) {
    if (!part.details || !("want" in part.details) || parentOf(part, scores) !== score) continue;
    const name = part.metric.slice(score.metric.length + 1);
    reason = reason.replace(`${name}: ${part.reason}`, "");
  }
  return reason.replace(/^(; )+|(; )+$/g, "").replace(/(; ){2,}/g, "; ");
}

/**
 * The table of a score's parts; null without one.
 *
 * @param {Score} score
 * @param {FullRow} full
 */
export function partTable(score, full) {
  const all = full.now.scores;
  const parts = all.filter((each) => each !== score && parentOf(each, all) === score);
  if (!parts.length) return null;
  const before = new Map((full.before?.scores ?? []).map((each) => [each.metric, each]));
  const fields = parts.some((part) => part.details && "want" in part.details);
  const heads = fields ? ["Field", "Wanted", "Actual", "Result"] : ["Metric", "Value", "Result"];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": `Parts of ${score.metric}` },
    h(
      "table",
      { class: fields ? "parts fields" : "parts" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        parts.map((part) => partRow(part, score, fields, before.get(part.metric))),
      ),
    ),
  );
}

/**
 * @param {Score} part
 * @param {Score} owner
 * @param {boolean} fields Whether the parts are fields of a record.
 * @param {Score | undefined} before The same in the baseline.
 */
function partRow(part, owner, fields, before) {
  const name = part.metric.slice(owner.metric.length + 1);
  const details = part.details ?? {};
  const moved = before && before.status !== part.status;
  return h(
    "tr",
    { class: STATUS_TONES[part.status] },
    h("th", { scope: "row" }, visible(name)),
    fields
      ? [
          fieldCell(details.want, details.got, "Wanted"),
          fieldCell(details.got, details.want, "Actual"),
        ]
      : h("td", { class: "num", "data-is": "Value" }, part.value == null ? "–" : partValue(part)),
    h(
      "td",
      { class: "outcome" },
      status(STATUS_TONES[part.status], statusWord(part.status)),
      moved ? h("span", { class: "was quiet" }, `was ${statusWord(before.status)}`) : null,
      part.status === "pass" ? null : h("span", { class: "quiet" }, visible(shortReason(part))),
    ),
  );
}

/**
 * Why a part did not pass. What the row shows already is left out: the values of a field, a number.
 *
 * @param {Score} part
 */
function shortReason({ unscored, reason, details }) {
  const text = unscored || reason || "";
  const shown = details && "want" in details ? /^is .*?, expected .*?(: |$)/s : /^[\d.e-]+; /;
  return text.replace(shown, "");
}

/** @param {Score} part */
function partValue({ value }) {
  return value === 0 || value === 1 ? String(value) : (value ?? 0).toFixed(3);
}

/**
 * One of the two values of a field. A text is in quotes where the other value is not a text.
 *
 * @param {Json | undefined} value
 * @param {Json | undefined} other
 * @param {string} name
 */
function fieldCell(value, other, name) {
  const bare = typeof value === "string" && value && (typeof other === "string" || other == null);
  const content =
    value == null
      ? h("span", { class: "quiet" }, "none")
      : h("code", {}, visible(bare ? value : JSON.stringify(value)));
  return h("td", { "data-is": name }, content);
}
