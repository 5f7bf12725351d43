// In which order rows are shown, and in which groups.

import { NOT_PASSED, QUEUES, queueName } from "./vocabulary.js";

/** @import { Columns } from "./types.js" */
/** @typedef {import("./data.js").Data} Data */
/** @typedef {(a: number, b: number) => number} Compare */
/** @typedef {{ name: string | null, rows: number[] }} Group A group without a name has no head. */

/** @type {Record<string, { name: string, compare: (columns: Columns, data: Data) => Compare }>} */
export const SORTS = {
  triage: {
    name: "Urgent first",
    compare: (c) => (a, b) => c.queue[a] - c.queue[b] || c.prio[b] - c.prio[a] || a - b,
  },
  value: {
    name: "Lowest score",
    compare: (c) => (a, b) => (c.value[a] ?? -1) - (c.value[b] ?? -1) || a - b,
  },
  slow: {
    name: "Slowest",
    compare: (c) => (a, b) => (c.ms[b] ?? -1) - (c.ms[a] ?? -1) || a - b,
  },
  long: {
    name: "Longest answer",
    compare: (c) => (a, b) => c.len[b] - c.len[a] || a - b,
  },
  id: {
    name: "Case id",
    compare: (c) => (a, b) => {
      if (c.id[a] === c.id[b]) return c.rep[a] - c.rep[b];
      return c.id[a] < c.id[b] ? -1 : 1;
    },
  },
  review: {
    name: "Review queue",
    compare: (_, data) => (a, b) => {
      // Two rows outside the queue have no order (Infinity - Infinity is NaN): then as recorded.
      const at = (/** @type {number} */ row) => data.queue.get(row)?.at ?? Number.POSITIVE_INFINITY;
      return at(a) - at(b) || a - b;
    },
  },
  order: { name: "As recorded", compare: () => (a, b) => a - b },
};

/**
 * @param {Data} data
 * @param {number[]} rows
 * @param {string} name One of SORTS; an unknown one sorts as `triage`.
 */
export function sort(data, rows, name) {
  return rows.sort((SORTS[name] ?? SORTS.triage).compare(data.columns, data));
}

/**
 * Groups in the order of their first row; one without a name when `by` is empty.
 *
 * @param {Data} data
 * @param {number[]} rows
 * @param {string} by `queue`, `metric`, a tag, or empty.
 * @returns {Group[]}
 */
export function group(data, rows, by) {
  if (!by) return [{ name: null, rows }];
  const name = grouping(data, by);
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  for (const row of rows) {
    const members = groups.get(name(row));
    if (members) members.push(row);
    else groups.set(name(row), [row]);
  }
  return [...groups].map(([key, members]) => ({ name: key, rows: members }));
}

/**
 * @param {Data} data
 * @param {string} by
 * @returns {(row: number) => string}
 */
function grouping({ columns, meta }, by) {
  if (by === "queue") return (row) => queueName(meta, QUEUES[columns.queue[row]]).word;
  if (by === "metric") {
    return (row) => {
      const at = [...columns.now[row]].findIndex((letter) => NOT_PASSED.includes(letter));
      return at < 0 ? "nothing fails or is missing" : meta.metrics[at];
    };
  }
  return (row) => `${by}: ${meta.combos[columns.tags[row]][by] ?? "–"}`;
}

/**
 * All rows in an order that depends only on the run, so that a sample is the same for every reader.
 *
 * @param {Data} data
 */
export function shuffled(data) {
  data.shuffled ??= Array.from({ length: data.size }, (_, row) => ({ row, hash: hash(data, row) }))
    .sort((a, b) => a.hash - b.hash || a.row - b.row)
    .map(({ row }) => row);
  return data.shuffled;
}

/**
 * FNV-1a, with the end of MurmurHash3 because FNV alone mixes the last characters too little.
 *
 * @param {Data} data
 * @param {number} row
 */
function hash({ columns, meta }, row) {
  let value = 2166136261;
  for (const unit of `${meta.run}\n${columns.id[row]}\n${columns.rep[row]}`) {
    value = Math.imul(value ^ Number(unit.codePointAt(0)), 16777619);
  }
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
