// What is shown: a small query language. Its text is the only filter state.
//
//   s:regressed          a queue (problem regressed disagrees new known untrusted fixed rest)
//                        or a state (pass fail needs_review unscored not_scored error)
//   metric:correctness   fails on that metric, or has no result there
//   slice:topic=law      a tag's value
//   flag:cached          a flag of the index
//   review:queue         the reviewer's queue; review:decide, where reviewers differ
//   sample:50            a random sample of all rows, the same for everyone
//   !…                   not that
//   words "two words"    in id, question or reason; in full texts after Data.search

import { shuffled } from "./order.js";
import { NOT_PASSED, QUEUES, STATE_LETTERS } from "./vocabulary.js";

/** @import { Token } from "./types.js" */
/** @typedef {import("./data.js").Data} Data */
/** @typedef {(row: number) => boolean} Test */

/**
 * @param {string} query
 * @returns {Token[]}
 */
export function parse(query) {
  const tokens = [];
  const pattern = /(!?)(?:(s|metric|slice|flag|sample|review|id):)?(?:"([^"]*)"|(\S+))/g;
  for (const [, not, key, quoted, plain] of query.matchAll(pattern)) {
    const value = quoted ?? plain;
    if (value) tokens.push({ key: key ?? "text", value, not: not === "!" });
  }
  return tokens;
}

/** @param {Token[]} tokens */
function write(tokens) {
  const texts = tokens.map(({ key, value, not }) => {
    const quoted = /\s/.test(value) ? `"${value}"` : value;
    return (not ? "!" : "") + (key === "text" ? quoted : `${key}:${quoted}`);
  });
  return texts.join(" ");
}

/**
 * A query with a token added, or removed when it was there.
 *
 * @param {string} query
 * @param {string} key
 * @param {string} value
 */
export function toggle(query, key, value) {
  const tokens = parse(query);
  const others = tokens.filter((token) => token.key !== key || token.value !== value);
  if (others.length === tokens.length) others.push({ key, value, not: false });
  return write(others);
}

/**
 * The words of a query that are not filters, in lower case.
 *
 * @param {string} query
 */
export function searchWords(query) {
  const tokens = parse(query).filter((token) => token.key === "text");
  return tokens.map((token) => token.value.toLowerCase());
}

/**
 * Rows that match a query. Tokens of one key are alternatives, except words and negations.
 *
 * @param {Data} data
 * @param {string} query
 */
export function filter(data, query) {
  /** @type {Map<string, Test[]>} */
  const alternatives = new Map();
  /** @type {Test[]} */
  const required = [];
  for (const token of parse(query)) {
    const test = TESTS[token.key](data, token.value);
    if (token.not) required.push((row) => !test(row));
    else if (token.key === "text") required.push(test);
    else alternatives.set(token.key, [...(alternatives.get(token.key) ?? []), test]);
  }
  for (const tests of alternatives.values()) {
    required.push((row) => tests.some((test) => test(row)));
  }
  const rows = [];
  for (let row = 0; row < data.size; row++) {
    if (required.every((test) => test(row))) rows.push(row);
  }
  return rows;
}

/** @type {Record<string, (data: Data, value: string) => Test>} */
const TESTS = {
  s({ columns }, value) {
    const letter = STATE_LETTERS.get(value);
    if (letter) return (row) => columns.state[row] === letter;
    const queue = QUEUES.indexOf(value);
    return (row) => columns.queue[row] === queue;
  },
  metric({ columns, meta }, value) {
    const at = meta.metrics.indexOf(value);
    return (row) => NOT_PASSED.includes(columns.now[row][at] || "-");
  },
  slice({ columns, meta }, value) {
    const [tag, ...rest] = value.split("=");
    const wanted = rest.join("=");
    const fits = meta.combos.map((combo) => (rest.length ? combo[tag] === wanted : tag in combo));
    return (row) => fits[columns.tags[row]];
  },
  flag({ columns, meta }, value) {
    const bit = 1 << meta.flags.indexOf(value);
    return (row) => (columns.flags[row] & bit) !== 0;
  },
  id({ columns }, value) {
    return (row) => columns.id[row] === value;
  },
  review(data, value) {
    return (row) => (value === "decide" ? data.disputed.has(row) : data.queue.has(row));
  },
  sample(data, value) {
    const sample = new Set(shuffled(data).slice(0, Number(value) || 0));
    return (row) => sample.has(row);
  },
  text({ columns, deep }, value) {
    const wanted = value.toLowerCase();
    const rows = deep.get(wanted);
    const { id, ask, why } = columns;
    return (row) =>
      rows?.has(row) || `${id[row]}\n${ask[row]}\n${why[row]}`.toLowerCase().includes(wanted);
  },
};
