// The reader gives verdicts: they are recorded, commented, taken back and saved as a file.

import { announce, h } from "./dom.js";
import { parse } from "./query.js";
import { dialog } from "./widgets.js";

/** @import { Score, Tone, Verdict } from "./types.js" */
/** @typedef {import("./app.js").App} App */
/** @typedef {import("./vocabulary.js").Named} Named */

/** The longest comment that the review server takes (session.py). */
const LONGEST_COMMENT = 4000;

/** @type {[Verdict, Tone][]} */
const VERDICT_ORDER = [
  ["fail", "fail"],
  ["unsure", "unsure"],
  ["pass", "pass"],
];

export class Labelling {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * @param {Score} score
   * @param {Verdict} verdict
   * @param {string | undefined} comment Undefined keeps the one there is.
   */
  async vote(score, verdict, comment = undefined) {
    const { app } = this;
    const { full, row } = app.pane;
    if (!full || row === undefined) return;
    const { answer } = full.now;
    const repeat = answer.repeat ?? 0;
    const conflict = app.labels.conflict(answer.case_id, repeat, score.metric);
    const adjudication = conflict !== null && this.isDeciding();
    const mine = app.labels.of(answer.case_id, repeat, score.metric, adjudication || null);
    await app.alert.attempt(async () => {
      const kept = await app.labels.add(answer, score, verdict, {
        comment: comment ?? mine?.comment ?? "",
        // Once the verdict was shown, a changed mind is not a blind one.
        blind: mine
          ? mine.blind && mine.human_verdict === verdict
          : app.blind && app.review.isUnseen(row),
        ...this.sampling(),
        adjudication,
      });
      app.review.markSeen(row);
      announce(
        kept
          ? `${adjudication ? "Decided" : "Recorded"}: ${verdict}`
          : "Recorded for now; this browser does not keep it. Save the labels before you leave.",
      );
    });
    this.changed();
  }

  /** How the answer came before the reader: at random only when nothing else filters the list. */
  sampling() {
    const tokens = parse(this.app.state.q);
    const [only] = tokens;
    if (tokens.length !== 1 || only.key !== "sample" || only.not) {
      return { sampling: "triage", probability: null };
    }
    const probability = Math.min(1, Number(only.value) / this.app.data.size);
    return { sampling: "random", probability };
  }

  /** Whether the reader looks at what reviewers differ on. */
  isDeciding() {
    const tokens = parse(this.app.state.q);
    return tokens.some((token) => token.key === "review" && token.value === "decide");
  }

  async undo() {
    const { app } = this;
    await app.alert.attempt(async () => {
      const answer = await app.labels.undo();
      announce(answer ? `Undone: ${answer.case_id}` : "There is nothing to undo.");
      const row = answer ? app.data.find(answer.case_id, answer.repeat ?? 0) : undefined;
      if (row !== undefined && row !== app.pane.row) app.choose(row, false);
    });
    this.changed();
  }

  /** @param {Score} score */
  comment(score) {
    const { labels, server } = this.app;
    const mine = labels.ofScore(score);
    if (!mine) return;
    const field = commentField(mine.comment);
    const name = h("input", {
      type: "text",
      "aria-label": "Your name",
      placeholder: "Your name (optional)",
    });
    name.value = labels.reviewer;
    dialog("Comment", server ? [field] : [field, name], "Keep", () => {
      if (!server) labels.setReviewer(name.value.trim());
      this.vote(score, mine.human_verdict, field.value.trim());
    });
    field.focus();
  }

  /** @param {string} id */
  commentOnCase(id) {
    const { app } = this;
    const field = commentField();
    dialog("Comment", [field], "Keep", () => {
      const text = field.value.trim();
      if (!text) return;
      app.alert.attempt(async () => {
        await app.server?.comment(id, text);
        app.pane.redraw();
      });
    });
    field.focus();
  }

  /** After labels came or went. */
  changed() {
    const { app } = this;
    app.review.update();
    app.pane.redraw();
    if (app.state.view === "cases") app.refresh();
    app.toolbar.drawSave(app.labels.records.length);
  }

  /** Save all labels as a file. */
  save() {
    const { labels, data } = this.app;
    const blob = new Blob([labels.jsonl()], { type: "application/x-ndjson" });
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: `labels-${data.meta.run}.jsonl` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000); // after the browser has read it
    announce("Labels saved as a file. Import them with: llmeval labels import");
  }

  /**
   * What the reader said about a row that is done: in words, with the tone of the worst verdict.
   *
   * @param {number} row
   * @returns {Named | null}
   */
  mark(row) {
    const { data, labels, review } = this.app;
    if (!review.isDone(row)) return null;
    const metrics = data.queue.get(row)?.metrics ?? [];
    const verdicts = metrics.map(
      (metric) => labels.of(data.columns.id[row], data.columns.rep[row], metric)?.human_verdict,
    );
    const tone = VERDICT_ORDER.find(([verdict]) => verdicts.includes(verdict))?.[1] ?? "plain";
    return { word: `you: ${verdicts.join(", ")}`, tone };
  }
}

/** @param {string} text */
function commentField(text = "") {
  const field = h("textarea", { rows: 4, maxlength: LONGEST_COMMENT, "aria-label": "Comment" });
  field.value = text;
  return field;
}
