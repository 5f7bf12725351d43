// The reviewer's work: what is in the queue, what is done, and what can't be judged blind any more.

import { h, number } from "./dom.js";
import { memory } from "./memory.js";
import { parse } from "./query.js";
import { ghostButton } from "./widgets.js";

/** @import { PageState, Score } from "./types.js" */
/** @typedef {import("./data.js").Data} Data */
/** @typedef {import("./labels.js").Labels} Labels */
/** @typedef {import("./server.js").Server} Server */

export class Review {
  /**
   * @param {Data} data
   * @param {Labels} labels
   * @param {Server | null} server
   */
  constructor(data, labels, server) {
    this.data = data;
    this.labels = labels;
    this.server = server;
    this.memory = `seen.${data.meta.run}.${server?.state.reviewer ?? ""}`;
    this.seen = new Set((memory.get(this.memory) ?? "").split("\n").filter(Boolean));
    server?.state.queue.forEach(([id, repeat, metrics], at) => {
      const row = data.find(id, repeat);
      if (row !== undefined) data.queue.set(row, { at, metrics });
    });
    this.update();
  }

  /** After labels came or went. */
  update() {
    const conflicts = this.server?.state.conflicts ?? [];
    this.data.disputed = new Set(
      conflicts.map((each) => this.data.find(each.case_id, each.repeat)),
    );
  }

  /**
   * Whether people are asked for their verdict on a score: the queue says so, else what a judge
   * decides. A check may have decided in the judge's place.
   *
   * @param {number} row
   * @param {Score} score
   */
  isRequested(row, score) {
    const queued = this.data.queue.get(row);
    if (queued) return queued.metrics.includes(score.metric);
    return score.source === "judge" || score.metric in this.data.meta.judges;
  }

  /** @param {number} row */
  isDone(row) {
    const { id, rep } = this.data.columns;
    const metrics = this.data.queue.get(row)?.metrics;
    return metrics?.every((metric) => this.labels.of(id[row], rep[row], metric)) ?? false;
  }

  /**
   * The first row of the queue after `row` that is not done; undefined when all are.
   *
   * @param {number | undefined} row
   */
  next(row) {
    const rows = [...this.data.queue.keys()];
    const start = row === undefined ? 0 : rows.indexOf(row) + 1;
    return [...rows.slice(start), ...rows.slice(0, start)].find((each) => !this.isDone(each));
  }

  /**
   * Remember that verdicts of this row were shown: a later verdict is not blind.
   *
   * @param {number} row
   */
  markSeen(row) {
    const key = this.seenKey(row);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    memory.set(this.memory, [...this.seen].join("\n"));
  }

  /** @param {number} row */
  isUnseen(row) {
    return !this.seen.has(this.seenKey(row));
  }

  /** @param {number} row */
  seenKey(row) {
    const { id, rep } = this.data.columns;
    return `${id[row]}\t${rep[row]}`.replaceAll("\n", " "); // keys are stored one on a line
  }

  /** "12 of 37", as a bar and in words. */
  progress() {
    const rows = [...this.data.queue.keys()];
    const total = rows.length;
    const done = rows.filter((row) => this.isDone(row)).length;
    const text = `${number(done)} of ${number(total)}`;
    const { server } = this;
    const team = server?.state.team;
    const end = team ? "" : " Ctrl-C in the terminal ends the review.";
    const note = done === total && total ? ` All done.${end}` : ` as ${server?.state.reviewer}`;
    return h(
      "div",
      { class: "progress" },
      h("progress", { max: Math.max(total, 1), value: done, "aria-label": `Reviewed: ${text}` }),
      h("span", { class: "num" }, text),
      h("span", { class: "quiet" }, note),
      team ? ghostButton("Leave", () => server?.leave()) : null,
    );
  }
}

/**
 * Whether a list that is filtered, sorted or grouped in this way reveals verdicts.
 *
 * @param {PageState} state
 */
export function revealsVerdicts({ q, sort, group }) {
  return (
    parse(q).some(({ key }) => ["s", "metric", "flag"].includes(key)) ||
    ["queue", "metric"].includes(group) ||
    sort === "value"
  );
}
