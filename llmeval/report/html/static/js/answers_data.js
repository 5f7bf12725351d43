// The rows of the answer table: an index of all cases, and chunks of texts unpacked on demand.

import { unpack } from "./unpack.js";

/**
 * @typedef {object} CellText
 * @property {string} text
 * @property {string} state
 * @property {[string, string, string][]} scores Metric, letter and reason of what does not pass.
 */
/**
 * @typedef {object} AnswerRow
 * @property {string} id
 * @property {string} question
 * @property {string[]} references
 * @property {(CellText[] | null)[]} cells
 */
/** @typedef {{ letter: string, name: string }} Column */
/** @typedef {"all" | "differ" | "outcomes" | "failing"} Show */

const KEPT_CHUNKS = 30;
const TEXTS_DIFFER = 1;

/** Everything that the page knows. Rows are named by their number in the index. */
export class AnswerData {
  /**
   * @param {{ columns: Column[], metrics: string[], rows: number }} meta
   * @param {Record<string, any[]>} index
   */
  constructor(meta, index) {
    this.meta = meta;
    this.size = index.id.length;
    /** @type {string[]} */
    this.ids = index.id;
    /** @type {string[]} */
    this.asks = index.ask;
    /** @type {string[]} */
    this.states = index.state;
    /** @type {string[][]} */
    this.metrics = index.metrics.map((/** @type {string} */ letters) => letters.split("|"));
    /** @type {number[]} */
    this.differs = index.differs;
    /** @type {number[]} */
    this.chunkOf = index.chunk;
    /** @type {Map<number, Promise<Map<string, AnswerRow>>>} */
    this.chunks = new Map();
  }

  static async load() {
    const meta = JSON.parse(await unpack("meta", true));
    /** @type {Record<string, any[]>} */
    const index = { id: [], ask: [], state: [], metrics: [], differs: [], chunk: [] };
    for (const line of (await unpack("index", true)).split("\n")) {
      if (!line) continue;
      for (const [name, values] of Object.entries(JSON.parse(line))) {
        for (const value of values) index[name].push(value);
      }
    }
    return new AnswerData(meta, index);
  }

  /**
   * A row in full; null when this file does not hold it.
   *
   * @param {number} row
   */
  async full(row) {
    const number = this.chunkOf[row];
    if (number < 0) return null;
    return (await this.chunk(number)).get(this.ids[row]) ?? null;
  }

  /** @param {number} number */
  chunk(number) {
    const rows = this.chunks.get(number) ?? unpackRows(number);
    this.chunks.delete(number);
    this.chunks.set(number, rows);
    const [oldest] = this.chunks.keys();
    if (this.chunks.size > KEPT_CHUNKS) this.chunks.delete(oldest);
    return rows;
  }

  /**
   * The outcome letters of a row, by column: of all metrics, or of one.
   *
   * @param {number} row
   * @param {number} metric Its number, or -1.
   */
  letters(row, metric) {
    if (metric < 0) return [...this.states[row]];
    return this.metrics[row].map((letters) => letters[metric]);
  }

  /**
   * What a row shows, and its rank: different outcomes first, then failures, then other texts.
   *
   * @param {number} row
   * @param {number} metric
   */
  look(row, metric) {
    const letters = this.letters(row, metric).filter((letter) => letter !== ".");
    const outcomes = new Set(letters).size > 1;
    const failing = letters.some((letter) => letter !== "p");
    const texts = Boolean(this.differs[row] & TEXTS_DIFFER);
    const rank = outcomes ? 0 : failing ? 1 : texts ? 2 : 3;
    return { outcomes, failing, texts, rank };
  }

  /**
   * Rows that fit a filter, those to look at first before the others.
   *
   * @param {Show} show
   * @param {number} metric
   * @param {Set<number> | null} among Rows that a search matches; null for all.
   */
  select(show, metric, among) {
    /** @type {number[][]} */
    const ranked = [[], [], [], []];
    for (let row = 0; row < this.size; row++) {
      if (among && !among.has(row)) continue;
      const seen = this.look(row, metric);
      if (fits(seen, show)) ranked[seen.rank].push(row);
    }
    return ranked.flat();
  }

  /**
   * The rows whose id, question or answers hold every word.
   *
   * @param {string} text
   * @param {() => boolean} stopped Whether the result is no longer wanted.
   */
  async search(text, stopped) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    /** @type {Set<number>} */
    const matches = new Set();
    for (let row = 0; row < this.size; row++) {
      if (row % 100 === 0) {
        await new Promise((done) => setTimeout(done)); // lets the browser take input
        if (stopped()) return matches;
      }
      const full = await this.full(row);
      const all = `${this.ids[row]}\n${this.asks[row]}\n${full ? textOf(full) : ""}`.toLowerCase();
      if (words.every((word) => all.includes(word))) matches.add(row);
    }
    return matches;
  }
}

/**
 * @param {{ outcomes: boolean, failing: boolean, texts: boolean }} seen
 * @param {Show} show
 */
function fits(seen, show) {
  if (show === "outcomes") return seen.outcomes;
  if (show === "failing") return seen.failing;
  return show === "all" || seen.texts || seen.outcomes;
}

/** @param {number} number */
async function unpackRows(number) {
  /** @type {AnswerRow[]} */
  const rows = JSON.parse(await unpack(`chunk-${number}`));
  return new Map(rows.map((row) => [row.id, row]));
}

/** @param {AnswerRow} row */
function textOf(row) {
  const answers = row.cells.flatMap((cell) => cell ?? []).map((answer) => answer.text);
  return [row.question, ...row.references, ...answers].join("\n");
}
