// The reviewer's work: what is in the queue, what is done, what has been seen and so can't be judged blind any more.

import { h, memory, number } from "./dom.js";
import { parse } from "./query.js";

export class Review {
  constructor(data, labels, server) {
    this.data = data;
    this.labels = labels;
    this.server = server;
    this.memory = `seen.${data.meta.run}.${server?.state.reviewer ?? ""}`;
    this.seen = new Set((memory.get(this.memory) ?? "").split("\n").filter(Boolean));
    data.queue = new Map();
    server?.state.queue.forEach(([id, rep, metrics], at) => {
      const row = data.find(id, rep);
      if (row !== undefined) data.queue.set(row, { at, metrics });
    });
    this.update();
  }

  /** After labels came or went. */
  update() {
    const { conflicts } = this.server?.state ?? { conflicts: [] };
    this.data.disputed = new Set(conflicts.map((each) => this.data.find(each.case_id, each.repeat)));
  }

  /** Whether people are asked for their verdict on a score: the queue says, else what a judge decides. A check may have decided
   *  in the judge's place. */
  asked(row, score) {
    return this.data.queue.get(row)?.metrics.includes(score.metric) ?? (score.source === "judge" || score.metric in this.data.meta.judges);
  }

  done(row) {
    const { id, rep } = this.data.columns;
    return this.data.queue.get(row)?.metrics.every((metric) => this.labels.of(id[row], rep[row], metric)) ?? false;
  }

  /** The first row of the queue after `row` that is not done; undefined when all are. */
  next(row) {
    const rows = [...this.data.queue.keys()];
    const start = rows.indexOf(row) + 1;
    return [...rows.slice(start), ...rows.slice(0, start)].find((each) => !this.done(each));
  }

  /** Verdicts of this row have been shown before a vote. */
  saw(row) {
    const key = `${this.data.columns.id[row]}\t${this.data.columns.rep[row]}`.replaceAll("\n", " ");
    if (this.seen.has(key)) return;
    this.seen.add(key);
    memory.set(this.memory, [...this.seen].join("\n"));
  }

  blindTo(row) {
    return !this.seen.has(`${this.data.columns.id[row]}\t${this.data.columns.rep[row]}`.replaceAll("\n", " "));
  }

  /** "12 of 37", as a bar and in words. */
  progress() {
    const total = this.data.queue.size;
    const done = [...this.data.queue.keys()].filter((row) => this.done(row)).length;
    const text = `${number(done)} of ${number(total)}`;
    return h("div", { class: "progress" }, h("progress", { max: Math.max(total, 1), value: done, "aria-label": `Reviewed: ${text}` }), h("span", { class: "num" }, text), h("span", { class: "quiet" }, done === total && total ? " All done. Ctrl-C in the terminal ends the review." : ` as ${this.server.state.reviewer}`));
  }
}

/** Whether a list shown in this way tells verdicts apart. */
export function telling({ q, sort, group }) {
  return parse(q).some(({ key }) => ["s", "metric", "flag"].includes(key)) || ["queue", "metric"].includes(group) || sort === "value";
}
