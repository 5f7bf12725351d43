// What the application retrieved: the passages in their order, the relevant ones marked, and what
// each of them supports.

import { h, number, status } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";

/** @import { FullRow, Json, Score } from "./types.js" */
/** @typedef {{ id: string, text: string, relevant: boolean | null, counts: boolean, claims: string[] }} Passage */

/** Longer passages are folded. */
const FOLDED_PASSAGE = 420;
const MOST_PASSAGES = 50;
const TEXT_NAMES = /text|passage|context|chunk|document|snippet|content/i;
const ID_NAMES = /(^|_)ids?$/i;
/** Keys of an object that hold the text of a passage. */
const TEXT_KEYS = ["text", "content", "page_content", "snippet", "passage"];

/**
 * The section of the passages; null where the application returned none.
 *
 * @param {FullRow} full
 * @param {Score[]} scores Those that are not hidden.
 */
export function passageSection(full, scores) {
  const data = full.now.answer.data ?? {};
  const ranking = scores.map((score) => score.details ?? {}).find((each) => "retrieved" in each);
  const passages = passagesOf(data, ranking, scores);
  const missing = texts(ranking?.missing);
  if (!passages.length && !missing.length) return null;
  const relevant = passages.filter((passage) => passage.relevant).length;
  const judged = passages.some((passage) => passage.relevant !== null);
  const answer = full.now.answer.output ?? "";
  const more = passages.length - MOST_PASSAGES;
  return h(
    "section",
    { class: "retrieved" },
    h("h3", {}, "Retrieved passages", judged ? relevantNote(relevant, passages.length) : null),
    h(
      "ol",
      { class: "passages" },
      passages.slice(0, MOST_PASSAGES).map((passage, i) => passageItem(passage, i, answer)),
    ),
    more > 0 ? h("p", { class: "quiet small" }, `${number(more)} more passages`) : null,
    missing.length ? missingIds(missing) : null,
  );
}

/**
 * @param {number} relevant
 * @param {number} all
 */
function relevantNote(relevant, all) {
  return h("span", { class: "aside" }, `${relevant} of ${all} relevant`);
}

/**
 * Passages from a ranking that a check recorded, and from the lists in the data.
 *
 * @param {{ [name: string]: Json }} data
 * @param {{ [name: string]: Json } | undefined} ranking
 * @param {Score[]} scores
 * @returns {Passage[]}
 */
function passagesOf(data, ranking, scores) {
  const claims = claimsByPassage(scores);
  const entries = Array.isArray(ranking?.retrieved) ? /** @type {any[]} */ (ranking.retrieved) : [];
  const lists = passageLists(data, entries.length, claims.size > 0);
  const ids = entries.length ? entries.map((entry) => String(entry.id)) : lists.ids;
  return Array.from({ length: Math.max(ids.length, lists.texts.length) }, (_, i) => ({
    id: ids[i] ?? "",
    text: lists.texts[i] ?? "",
    relevant: entries[i] ? Boolean(entries[i].relevant) : null,
    counts: entries[i]?.counts !== false,
    claims: claims.get(i + 1) ?? [],
  }));
}

/**
 * The lists of the data that hold passages: objects with a text, or texts under a usual name.
 *
 * @param {{ [name: string]: Json }} data
 * @param {number} length Of the ranking; 0 without one.
 * @param {boolean} grounded Whether a check compared claims with passages.
 */
function passageLists(data, length, grounded) {
  const lists = Object.entries(data)
    .filter(([, value]) => Array.isArray(value) && value.length && value.length >= length)
    .map(([name, value]) => readList(name, /** @type {Json[]} */ (value)));
  const named = lists.find((list) => list.ids.length && !list.texts.length);
  const filled = lists.find((list) => list.texts.length);
  if (!length && !grounded && !filled) return { ids: [], texts: [] };
  return { ids: (named ?? filled)?.ids ?? [], texts: filled?.texts ?? [] };
}

/**
 * A list of the data as ids, as texts, as both, or as neither.
 *
 * @param {string} name
 * @param {Json[]} list
 */
function readList(name, list) {
  const objects = objectTexts(list);
  if (objects) return objects;
  const single = list.every((item) => typeof item === "string" || typeof item === "number");
  if (single && ID_NAMES.test(name)) return { ids: list.map(String), texts: [] };
  return { ids: [], texts: single && TEXT_NAMES.test(name) ? list.map(String) : [] };
}

/**
 * Ids and texts of a list of objects with texts; null for any other list.
 *
 * @param {Json[]} list
 */
function objectTexts(list) {
  const objects = /** @type {any[]} */ (list);
  const key = TEXT_KEYS.find((name) => typeof objects[0]?.[name] === "string");
  if (!key || !objects.every((item) => typeof item?.[key] === "string")) return null;
  const ids = objects.map((item, i) => String(item.id ?? item.source ?? i + 1));
  return { ids, texts: objects.map((item) => item[key]) };
}

/**
 * The claims that each passage supports, by its number from 1.
 *
 * @param {Score[]} scores
 */
function claimsByPassage(scores) {
  /** @type {Map<number, string[]>} */
  const claims = new Map();
  for (const score of scores) {
    const list = score.details?.claims;
    for (const item of Array.isArray(list) ? /** @type {any[]} */ (list) : []) {
      if (typeof item?.passage !== "number" || typeof item.claim !== "string") continue;
      const own = claims.get(item.passage) ?? [];
      if (!own.includes(item.claim)) claims.set(item.passage, [...own, item.claim]);
    }
  }
  return claims;
}

/**
 * @param {Passage} passage
 * @param {number} i
 * @param {string} answer
 */
function passageItem({ id, text, relevant, counts, claims }, i, answer) {
  const cited = isCited(id, i + 1, answer);
  const badges = [
    relevant ? status("pass", "relevant") : null,
    relevant === false ? h("span", { class: "quiet" }, "not relevant") : null,
    cited ? h("span", { class: "chip flat" }, "cited") : null,
    counts ? null : h("span", { class: "chip flat" }, "beyond k: does not count"),
  ];
  return h(
    "li",
    { class: relevant ? "passage relevant" : "passage" },
    h("p", { class: "passage-head" }, h("code", {}, visible(id || `passage ${i + 1}`)), badges),
    text ? passageText(text) : null,
    claims.map((claim) => h("p", { class: "claim" }, "Supports: ", h("q", {}, visible(claim)))),
  );
}

/** @param {string} text */
function passageText(text) {
  if (text.length <= FOLDED_PASSAGE) return textBlock(text);
  const size = h("span", { class: "quiet" }, ` ${number(text.length)} characters`);
  const start = `${text.slice(0, 120).trimEnd()}…`;
  return h("details", {}, h("summary", {}, visible(start), size), textBlock(text));
}

/**
 * Whether the answer cites a passage, by its id or its number in brackets.
 *
 * @param {string} id
 * @param {number} rank
 * @param {string} answer
 */
function isCited(id, rank, answer) {
  const inside = [...answer.matchAll(/[[(【]([^\])】]{1,80})[\])】]/g)].map((match) => match[1]);
  const names = inside.flatMap((text) => text.split(/[\s,;]+/));
  return names.some((name) => (id ? name === id : name === String(rank)));
}

/** @param {string[]} ids */
function missingIds(ids) {
  return h(
    "p",
    { class: "missing-ids" },
    status("fail", "Not retrieved:"),
    ids.map((id) => [" ", h("code", {}, visible(id))]),
  );
}

/**
 * @param {Json | undefined} value
 * @returns {string[]}
 */
function texts(value) {
  return Array.isArray(value) ? value.map(String) : [];
}
