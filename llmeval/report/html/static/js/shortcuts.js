// Single keys for everything a reviewer does often. They can be switched off, as some people's
// software types letters for them.

import { h } from "./dom.js";
import { memory } from "./memory.js";
import { dialog } from "./widgets.js";

/** @import { Score, Verdict } from "./types.js" */
/** @typedef {import("./app.js").App} App */

/** @type {[keys: string, what: string][]} */
const HELP = [
  ["j  k", "next, previous case"],
  ["Enter", "open"],
  ["Esc", "back to the list"],
  ["/", "search"],
  ["d", "word differences"],
  [
    "1  2  3",
    "agree, disagree, unsure: about the judge's verdict, else about the first failing check. While the verdict is hidden: pass, fail, unsure",
  ],
  ["c", "comment on your verdict"],
  ["u", "undo your last verdict"],
  ["n", "next answer of your queue without your verdict"],
  ["b", "hide verdicts until you give yours"],
  ["r", "back to the report"],
  ["?", "this list"],
];

export class Shortcuts {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.enabled = memory.get("keys") !== "off";
  }

  /** @param {KeyboardEvent} event */
  handle(event) {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      this.escape();
      return;
    }
    if (!this.enabled || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/** @type {Element} */ (event.target).closest?.("input, textarea, select")) return;
    const action = this.actions()[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  escape() {
    const { app } = this;
    if (app.state.view !== "cases") return;
    if (document.activeElement === app.toolbar.search) app.list.node.focus();
    else if (app.pane.row !== undefined) app.pane.back();
  }

  /** @returns {Record<string, () => void>} */
  actions() {
    const { app } = this;
    return {
      j: () => this.move(1),
      k: () => this.move(-1),
      "/": () => {
        app.showCases();
        app.toolbar.search.focus();
      },
      d: () => app.pane.toggleDiff(),
      b: () => {
        app.showCases();
        app.toggleBlind();
      },
      c: () => {
        const score = this.votable();
        if (score) app.labelling.comment(score);
      },
      u: () => app.labelling.undo(),
      n: () => {
        if (app.server && app.showCases()) app.next();
      },
      r: () => {
        location.hash = "#decision";
      },
      // Nobody can agree with what is hidden: then the keys say what they think of the answer.
      1: () => this.vote(({ status }, hidden) => (hidden || status === "pass" ? "pass" : "fail")),
      2: () => this.vote(({ status }, hidden) => (hidden || status === "pass" ? "fail" : "pass")),
      3: () => this.vote(() => "unsure"),
      "?": () => this.help(),
    };
  }

  /** @param {number} step */
  move(step) {
    if (this.app.showCases()) this.app.list.move(step, false);
  }

  /** @param {(score: Score, hidden: boolean) => Verdict} pick */
  vote(pick) {
    const { app } = this;
    const score = this.votable();
    if (score) app.labelling.vote(score, pick(score, app.blind && !app.labels.ofScore(score)));
  }

  /**
   * The score that keys vote on: the first requested one without a verdict of the reader, else the
   * first that fails.
   *
   * @returns {Score | undefined}
   */
  votable() {
    const { labels, pane, review } = this.app;
    const { full, row } = pane;
    if (row === undefined || !full) return undefined;
    const scores = full.now.scores.filter(({ status }) => status === "pass" || status === "fail");
    const requested = scores.filter((score) => review.isRequested(row, score));
    return (
      requested.find((score) => !labels.ofScore(score)) ??
      requested[0] ??
      scores.find((score) => score.status === "fail") ??
      scores[0]
    );
  }

  help() {
    const keys = HELP.filter(([key]) => key !== "n" || this.app.server);
    const lines = keys.map(([key, what]) => [
      h(
        "dt",
        {},
        key.split("  ").map((one) => [h("kbd", {}, one), " "]),
      ),
      h("dd", {}, what),
    ]);
    const box = h("input", {
      type: "checkbox",
      checked: this.enabled,
      onchange: () => {
        this.enabled = box.checked;
        memory.set("keys", this.enabled ? "on" : "off");
      },
    });
    const toggle = h("label", {}, box, " Single keys are on");
    dialog("Keys", [h("dl", { class: "pairs keys" }, lines), toggle], "Close");
  }
}
