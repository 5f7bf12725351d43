// A list of any length that only draws what is in sight. A grid for screen readers: the list keeps the
// focus, and the active row is named by aria-activedescendant.

import { h } from "./dom.js";
import { groupHead, listLine } from "./list_line.js";

/** @typedef {import("./data.js").Data} Data */
/** @typedef {import("./order.js").Group} Group */
/** @typedef {import("./vocabulary.js").Named} Named */
/** @typedef {{ row: number } | { name: string, count: number, row?: undefined }} Item */

/** Heights in pixels, as in the style sheet. */
const ROW = 58;
const HEAD = 34;
/** Rows drawn outside of sight, so that scrolling shows no gaps. */
const SPARE = 6;

export class List {
  /**
   * @param {Data} data
   * @param {(row: number, open: boolean) => void} choose Gets the selected row; `open` when the
   *   reader asked to see it.
   * @param {(row: number) => Named | null} mark What the reader said about a row.
   */
  constructor(data, choose, mark) {
    this.data = data;
    this.choose = choose;
    this.mark = mark;
    /** @type {Item[]} */
    this.items = [];
    /** Where each item begins, in pixels; one more for the end of the list. */
    this.tops = new Float64Array(1);
    this.selected = -1;
    /** Whether verdicts are hidden. */
    this.hidden = false;
    this.inner = h("div", { class: "inner", role: "presentation" });
    this.node = h(
      "div",
      {
        class: "list",
        role: "grid",
        tabindex: "0",
        "aria-label": "Cases",
        "aria-readonly": "true",
      },
      this.inner,
    );
    this.node.addEventListener("scroll", () => this.draw(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.handleKey(event));
    this.inner.addEventListener("click", (event) => this.handleClick(event));
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /**
   * Show groups of rows; the selected row stays selected if it is still there.
   *
   * @param {Group[]} groups
   */
  show(groups) {
    const row = this.row();
    this.items = [];
    for (const { name, rows } of groups) {
      if (name !== null) this.items.push({ name, count: rows.length });
      for (const each of rows) this.items.push({ row: each });
    }
    this.tops = new Float64Array(this.items.length + 1);
    this.items.forEach((item, i) => {
      this.tops[i + 1] = this.tops[i] + (item.row === undefined ? HEAD : ROW);
    });
    this.inner.style.height = `${this.tops[this.items.length]}px`;
    this.node.setAttribute("aria-rowcount", String(this.items.length));
    this.selected = this.items.findIndex((item) => item.row !== undefined && item.row === row);
    this.draw();
  }

  /** The selected row; undefined when none is. */
  row() {
    return this.items[this.selected]?.row;
  }

  /** Rows in order, without the heads of groups. */
  rows() {
    return this.items.map((item) => item.row).filter((row) => row !== undefined);
  }

  /**
   * Select a row, if it is in the list.
   *
   * @param {number} row
   */
  reveal(row) {
    const at = this.items.findIndex((item) => item.row === row);
    if (at >= 0) this.select(at, false);
  }

  /**
   * Move by `step` rows; the heads of groups do not count.
   *
   * @param {number} step
   * @param {boolean} open
   */
  move(step, open) {
    let at = this.selected;
    const way = Math.sign(step) || 1;
    for (let left = Math.abs(step); left > 0; ) {
      const next = at + way;
      if (next < 0 || next >= this.items.length) break;
      at = next;
      if (this.items[at].row !== undefined) left--;
    }
    if (this.items[at]?.row === undefined) {
      at = this.items.findIndex((item) => item.row !== undefined);
    }
    if (at >= 0) this.select(at, open);
  }

  /**
   * @param {number} at
   * @param {boolean} open
   */
  select(at, open) {
    const row = this.items[at]?.row;
    if (row === undefined) return;
    this.selected = at;
    const top = this.tops[at];
    const { scrollTop, clientHeight } = this.node;
    if (top - HEAD < scrollTop) this.node.scrollTop = top - HEAD;
    else if (top + ROW > scrollTop + clientHeight)
      this.node.scrollTop = top + ROW - clientHeight + 8;
    this.draw();
    this.choose(row, open);
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const target = /** @type {Element} */ (event.target);
    const line = /** @type {HTMLElement | null} */ (target.closest("[data-at]"));
    if (line) this.select(Number(line.dataset.at), true);
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    const page = Math.max(1, Math.floor(this.node.clientHeight / ROW) - 1);
    const all = this.items.length;
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -all,
      End: all,
    };
    if (event.key in steps && !event.metaKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      this.move(steps[event.key], false);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (this.selected < 0) this.move(1, true);
      else this.select(this.selected, true);
    }
  }

  draw() {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, this.itemAt(scrollTop) - SPARE);
    const last = Math.min(this.items.length, this.itemAt(scrollTop + clientHeight) + SPARE);
    const nodes = [];
    for (let i = first; i < last; i++) nodes.push(this.item(i));
    const unseen = this.selected < first || this.selected >= last;
    // The active row must exist for screen readers, in sight or not.
    if (this.selected >= 0 && unseen) nodes.push(this.item(this.selected));
    this.inner.replaceChildren(...nodes);
    if (this.selected < 0) this.node.removeAttribute("aria-activedescendant");
    else this.node.setAttribute("aria-activedescendant", `row-${this.selected}`);
  }

  /**
   * The item at a height, by bisection.
   *
   * @param {number} y
   */
  itemAt(y) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} at */
  item(at) {
    const item = this.items[at];
    const node = item.row === undefined ? groupHead(at, item) : this.line(at, item.row);
    node.style.top = `${this.tops[at]}px`;
    return node;
  }

  /**
   * @param {number} at
   * @param {number} row
   */
  line(at, row) {
    const view = { at, selected: at === this.selected, hidden: this.hidden, mark: this.mark(row) };
    return listLine(this.data, row, view);
  }
}
