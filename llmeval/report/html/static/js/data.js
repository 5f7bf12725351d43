// The rows of the page: one index of columns, and chunks of full rows that are unpacked on demand.

import { unpack } from "./unpack.js";

/** @import { Columns, FullRow, Json, Meta, QueueEntry } from "./types.js" */

/** Chunks that stay unpacked. */
const KEPT = 20;

/** Everything the page knows about the run. Rows are named by their number in the index. */
export class Data {
  /**
   * @param {Meta} meta
   * @param {Columns} columns
   */
  constructor(meta, columns) {
    this.meta = meta;
    this.columns = columns;
    this.size = columns.id.length;
    /** @type {Map<number, Promise<Map<string, FullRow>>>} */
    this.chunks = new Map();
    /**
     * Rows whose full text holds a word, for each word that was searched.
     * @type {Map<string, Set<number>>}
     */
    this.deep = new Map();
    /**
     * The reviewer's queue, by row.
     * @type {Map<number, QueueEntry>}
     */
    this.queue = new Map();
    /**
     * Rows on which reviewers differ.
     * @type {Set<number | undefined>}
     */
    this.disputed = new Set();
    /**
     * All rows in a random order; see order.js.
     * @type {number[] | undefined}
     */
    this.shuffled = undefined;
    /** @type {Map<string, number>} */
    this.byKey = new Map();
    columns.id.forEach((id, row) => {
      this.byKey.set(rowKey(id, columns.rep[row]), row);
    });
  }

  static async load() {
    const meta = JSON.parse(await unpack("meta", true));
    /** @type {Columns} */
    const columns = {
      id: [],
      rep: [],
      queue: [],
      prio: [],
      state: [],
      now: [],
      was: [],
      ask: [],
      why: [],
      tags: [],
      flags: [],
      chunk: [],
      ms: [],
      len: [],
      value: [],
    };
    for (const line of (await unpack("index", true)).split("\n")) {
      if (!line) continue;
      for (const [name, values] of Object.entries(JSON.parse(line))) {
        const column = /** @type {any[]} */ (columns[/** @type {keyof Columns} */ (name)]);
        for (const value of values) column.push(value);
      }
    }
    return new Data(meta, columns);
  }

  /**
   * The row of a case and repeat; undefined when there is none.
   *
   * @param {string} id
   * @param {number} repeat
   */
  find(id, repeat = 0) {
    return this.byKey.get(rowKey(id, repeat));
  }

  /**
   * A row in full; null when this file does not hold it.
   *
   * @param {number} row
   */
  async full(row) {
    const chunk = this.columns.chunk[row];
    if (chunk < 0) return null;
    const rows = await this.chunk(chunk);
    return rows.get(rowKey(this.columns.id[row], this.columns.rep[row])) ?? null;
  }

  /**
   * The rows of a chunk by key. The chunks used last stay unpacked.
   *
   * @param {number} number
   */
  chunk(number) {
    const rows = this.chunks.get(number) ?? this.unpackChunk(number);
    // A map keeps the order of insertion, so its first key is the chunk that was used longest ago.
    this.chunks.delete(number);
    this.chunks.set(number, rows);
    const [oldest] = this.chunks.keys();
    if (this.chunks.size > KEPT) this.chunks.delete(oldest);
    return rows;
  }

  /**
   * Search the full texts of all rows for each of `words` (lower case); the result is in `deep`.
   *
   * @param {string[]} words
   * @param {(share: number) => void} progress Gets the share that is done, in [0, 1].
   */
  async search(words, progress) {
    const missing = words.filter((word) => !this.deep.has(word));
    const matches = new Map(missing.map((word) => [word, /** @type {Set<number>} */ (new Set())]));
    const chunks = missing.length ? Math.max(-1, ...new Set(this.columns.chunk)) + 1 : 0;
    for (let number = 0; number < chunks; number++) {
      for (const [key, row] of await this.unpackChunk(number)) {
        const text = strings(/** @type {any} */ (row))
          .join("\n")
          .toLowerCase();
        const at = /** @type {number} */ (this.byKey.get(key));
        for (const [word, rows] of matches) if (text.includes(word)) rows.add(at);
      }
      progress((number + 1) / chunks);
      await new Promise((done) => setTimeout(done)); // lets the browser draw and take input
    }
    for (const [word, rows] of matches) this.deep.set(word, rows);
  }

  /** @param {number} number */
  async unpackChunk(number) {
    /** @type {FullRow[]} */
    const rows = JSON.parse(await unpack(`chunk-${number}`));
    return new Map(rows.map((row) => [rowKey(row.case.id, row.now.answer.repeat), row]));
  }
}

/**
 * @param {string} id
 * @param {number} repeat
 */
function rowKey(id, repeat = 0) {
  return `${id}\n${repeat}`;
}

/**
 * Every text in a value.
 *
 * @param {Json} value
 * @returns {string[]}
 */
function strings(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}
