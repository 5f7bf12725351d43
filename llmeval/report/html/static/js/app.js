// The page's state, and the parts that show and change it.

import { formatAddress, parseAddress, REVIEW_QUEUE, sectionOf, TO_DECIDE } from "./address.js";
import { Alert } from "./alert.js";
import { CasePane } from "./case_pane.js";
import { announce, byId, h } from "./dom.js";
import { Labelling } from "./labelling.js";
import { Labels } from "./labels.js";
import { List } from "./list.js";
import { memory } from "./memory.js";
import { group, sort } from "./order.js";
import { pageTable } from "./page_table.js";
import { filter, searchWords } from "./query.js";
import { Review } from "./review.js";
import { Shortcuts } from "./shortcuts.js";
import { Toolbar } from "./toolbar.js";

/** @import { PageState } from "./types.js" */
/** @typedef {import("./data.js").Data} Data */
/** @typedef {import("./server.js").Server} Server */

/** From this width on, the list and a case are side by side, as in the style sheet. */
const WIDE = "(min-width: 821px)";

export class App {
  /**
   * @param {Data} data
   * @param {Server | null} server Null in a file.
   */
  constructor(data, server) {
    this.data = data;
    this.server = server;
    this.state = parseAddress("");
    this.labels = new Labels(data.meta.run, server);
    this.review = new Review(data, this.labels, server);
    /** Whether verdicts are hidden until the reader gives theirs. */
    this.blind = server !== null || memory.get("blind") === "on";
    /** What the list shows, as a key; it is drawn only when that changes. */
    this.shown = "";
    /** The words that are being searched in full texts. */
    this.searching = "";

    this.labelling = new Labelling(this);
    this.shortcuts = new Shortcuts(this);
    this.pane = new CasePane(this);
    this.toolbar = new Toolbar(this);
    this.list = new List(
      data,
      (row, open) => this.choose(row, open),
      (row) => this.labelling.mark(row),
    );
    this.table = h("div", { class: "pages" });
    this.alert = new Alert();
    this.build();
  }

  build() {
    const parts = [this.alert.node, this.toolbar.node, this.list.node, this.table];
    byId("cases").replaceChildren(
      h("h1", { class: "sr" }, "Cases"),
      h("div", { class: "side" }, parts),
      this.pane.node,
    );
    if (this.server) {
      addEventListener("focus", () => this.sync());
      const begin = this.server.state.adjudicating ? TO_DECIDE : REVIEW_QUEUE;
      if (!location.hash) history.replaceState(null, "", begin);
    }
    addEventListener("hashchange", () => this.read());
    addEventListener("keydown", (event) => this.shortcuts.handle(event));
    this.labelling.changed();
    this.read();
  }

  /** Show what the address names. */
  read() {
    this.state = parseAddress(location.hash);
    this.render();
    const section = sectionOf(location.hash);
    if (section) document.getElementById(section)?.scrollIntoView();
  }

  /**
   * Change the state and the address.
   *
   * @param {Partial<PageState>} changes
   * @param {boolean} push Whether the back button returns to the state before.
   */
  write(changes, push = false) {
    Object.assign(this.state, changes);
    history[push ? "pushState" : "replaceState"](null, "", formatAddress(this.state));
  }

  render() {
    const { view } = this.state;
    const cases = view === "cases";
    document.body.dataset.view = view;
    this.markBlind();
    byId("report").hidden = cases;
    byId("cases").hidden = !cases;
    for (const link of document.querySelectorAll("nav [data-view]")) {
      if (link.getAttribute("data-view") === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (cases) this.renderCases();
  }

  renderCases() {
    const { case: id, repeat } = this.state;
    const row = id ? this.data.find(id, Number(repeat)) : undefined;
    this.refresh();
    if (row !== undefined) {
      this.list.reveal(row);
      this.pane.open(row);
    } else if (id) this.pane.showMissing(id);
    else this.openFirst();
  }

  /** Show the cases. Returns whether they were shown before, or no case is open yet. */
  showCases() {
    if (this.state.view === "cases") return true;
    this.write({ view: "cases" }, true);
    this.render();
    return this.pane.row === undefined;
  }

  /** With room for both, the list opens on its first case. */
  openFirst() {
    this.pane.close(this.list.rows().length);
    if (!this.state.page && matchMedia(WIDE).matches) this.list.move(1, false);
  }

  /**
   * Filter, sort or group in another way; the open case stays open if it is still in the list.
   *
   * @param {Partial<PageState>} changes
   */
  change(changes) {
    // Another list begins at its first page.
    const page = this.state.page ? { page: "1" } : {};
    this.write({ case: "", repeat: "0", ...page, ...changes });
    this.refresh();
    const { row } = this.pane;
    if (row === undefined || this.list.row() !== row) this.openFirst();
    else this.writeCase(row);
  }

  /** Draw the list again, when something it shows has changed. */
  refresh() {
    const { q, sort: order, group: groups, page, full } = this.state;
    this.toolbar.update();
    const words = full ? searchWords(q) : [];
    const missing = words.some((word) => !this.data.deep.has(word));
    if (missing) this.searchTexts(words);
    const labels = [this.labels.records.length, ...this.data.disputed];
    const key = JSON.stringify([labels, q, order, groups, page, this.blind, words, missing]);
    if (key === this.shown) return;
    this.shown = key;
    const rows = sort(this.data, filter(this.data, q), order);
    this.list.hidden = this.blind;
    this.list.show(group(this.data, rows, groups));
    announce(this.toolbar.drawCounts(rows.length));
    this.drawTable();
  }

  /**
   * Search the full texts of all rows that the file holds, then draw the list again.
   *
   * @param {string[]} words
   */
  async searchTexts(words) {
    const key = words.join("\n");
    if (this.searching === key) return;
    this.searching = key;
    await this.data.search(words, (share) => this.toolbar.drawSearching(share));
    this.toolbar.drawSearching(null);
    this.searching = "";
    this.refresh();
  }

  /** The table instead of the list, where the reader chose pages. */
  drawTable() {
    const { page } = this.state;
    this.list.node.hidden = page !== "";
    this.table.hidden = page === "";
    const turn = (/** @type {number} */ to) => {
      this.write({ page: String(to) });
      this.refresh();
    };
    const open = (/** @type {number} */ row) => this.choose(row, true);
    const view = { page, blind: this.blind, turn, open };
    this.table.replaceChildren(...(page ? pageTable(this.data, this.list.rows(), view) : []));
  }

  /**
   * A case was chosen.
   *
   * @param {number} row
   * @param {boolean} focus Whether the reader asked to read it.
   */
  choose(row, focus) {
    this.writeCase(row, focus && this.pane.row === undefined);
    this.pane.open(row, { focus });
  }

  /**
   * @param {number} row
   * @param {boolean} push
   */
  writeCase(row, push = false) {
    const { id, rep } = this.data.columns;
    this.write({ case: id[row], repeat: String(rep[row]) }, push);
  }

  /** Go to the next answer of the queue that has no verdict yet. */
  next() {
    const row = this.review.next(this.pane.row);
    if (row === undefined) {
      announce("All answers of the queue are reviewed.");
      return;
    }
    if (!this.list.rows().includes(row)) {
      this.change({ q: "review:queue", sort: "review", group: "" });
    }
    this.list.reveal(row);
  }

  /** Show what other tabs and reviewers did meanwhile. */
  async sync() {
    await this.alert.attempt(async () => this.server?.refresh());
    this.review.update();
    this.refresh();
    this.pane.redraw();
  }

  toggleBlind() {
    this.blind = !this.blind;
    if (!this.server) memory.set("blind", this.blind ? "on" : "off");
    this.markBlind();
    this.toolbar.blind.setAttribute("aria-pressed", String(this.blind));
    announce(this.blind ? "Verdicts are hidden until you give yours" : "Verdicts are shown");
    this.refresh();
    this.pane.redraw();
  }

  /** The report's own list of cases tells verdicts: a blind reviewer must not see it. */
  markBlind() {
    document.body.classList.toggle("blind", this.blind && this.server !== null);
  }
}
