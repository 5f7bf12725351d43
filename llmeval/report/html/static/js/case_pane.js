// The pane that shows one case, and the ways out of it.

import { detail } from "./detail.js";
import { h, number } from "./dom.js";
import { visible } from "./hidden.js";
import { toggle } from "./query.js";
import { revealsVerdicts } from "./review.js";
import { copyAddress, flash, ghostButton } from "./widgets.js";

/** @import { CaseView, FullRow } from "./types.js" */
/** @typedef {import("./app.js").App} App */

export class CasePane {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.node = h("div", { class: "pane" });
    /**
     * The row that is open.
     * @type {number | undefined}
     */
    this.row = undefined;
    /** @type {FullRow | null} */
    this.full = null;
    /** Whether word differences are marked. */
    this.diff = true;
  }

  /**
   * @param {number} row
   * @param {{ focus?: boolean, keepScroll?: boolean }} options
   */
  async open(row, { focus = false, keepScroll = false } = {}) {
    const { app } = this;
    this.row = row;
    document.body.classList.add("open");
    const full = await app.data.full(row);
    if (this.row !== row) return; // another case was opened meanwhile
    this.full = full;
    const rows = app.list.rows();
    const at = rows.indexOf(row);
    if (full && (!app.blind || revealsVerdicts(app.state))) app.review.markSeen(row);
    const top = keepScroll ? this.node.scrollTop : 0;
    this.node.replaceChildren(this.bar(), detail(app.data, row, full, this.view(row, at, rows)));
    this.node.scrollTop = top;
    if (focus) document.getElementById("case-title")?.focus();
    this.prepare(rows[at + 1]);
  }

  /**
   * Unpack the next case, so that it opens at once.
   *
   * @param {number | undefined} row
   */
  prepare(row) {
    const chunk = row === undefined ? -1 : this.app.data.columns.chunk[row];
    if (chunk >= 0) this.app.data.chunk(chunk);
  }

  bar() {
    const { list } = this.app;
    const link = ghostButton("Copy link", () => copyAddress(link));
    return h(
      "div",
      { class: "casebar" },
      ghostButton("← List", () => this.back(), { class: "ghost back" }),
      ghostButton("Previous", () => list.move(-1, false)),
      ghostButton("Next", () => list.move(1, false)),
      h("span", { class: "spring" }),
      link,
    );
  }

  /**
   * @param {number} row
   * @param {number} at
   * @param {number[]} rows
   * @returns {CaseView}
   */
  view(row, at, rows) {
    const { app } = this;
    const { labelling } = app;
    return {
      diff: this.diff,
      blind: app.blind,
      deciding: labelling.isDeciding(),
      position: at < 0 ? "not in this list" : `${number(at + 1)} of ${number(rows.length)}`,
      isRequested: (score) => app.review.isRequested(row, score),
      labels: app.labels,
      // In a blind review the server sends those of others after the vote.
      comments: (id) =>
        (app.server?.state ?? app.data.meta).comments.filter((each) => each.case_id === id),
      addComment: app.server ? (id) => labelling.commentOnCase(id) : null,
      toggleDiff: () => this.toggleDiff(),
      flash,
      slice: (value) => app.change({ q: toggle("", "slice", value) }),
      vote: (score, verdict) => labelling.vote(score, verdict),
      comment: (score) => labelling.comment(score),
      undo: () => labelling.undo(),
    };
  }

  /** Draw the open case again, where it is. */
  redraw() {
    if (this.row !== undefined) this.open(this.row, { keepScroll: true });
  }

  toggleDiff() {
    this.diff = !this.diff;
    this.redraw();
  }

  /** @param {number} total Rows in the list. */
  close(total) {
    this.row = undefined;
    document.body.classList.remove("open");
    const keys = [h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " move, "];
    const more = [h("kbd", {}, "Enter"), " opens, ", h("kbd", {}, "?"), " shows all keys."];
    this.node.replaceChildren(
      h(
        "div",
        { class: "nothing" },
        h("p", {}, this.emptyText(total)),
        h("p", { class: "quiet" }, keys, more),
      ),
    );
  }

  /** @param {number} total */
  emptyText(total) {
    if (!this.app.data.size) return "This run has no recorded answers.";
    return total ? "Choose a case." : "No answer matches. Remove a filter or change the search.";
  }

  /** @param {string} id */
  showMissing(id) {
    this.close(0);
    const text = h("p", {}, "This run has no case ", h("code", {}, visible(id)), ".");
    this.node.replaceChildren(h("div", { class: "nothing" }, text));
  }

  back() {
    const { app } = this;
    app.write({ case: "", repeat: "0" });
    this.close(app.list.rows().length);
    app.list.node.focus();
  }
}
