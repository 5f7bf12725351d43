// A list of any length that only draws what is in sight. A grid for screen readers: one focus, rows by active descendant.

import { h, shape, number } from "./dom.js";
import { QUEUES, QUEUE_NAMES, STATES } from "./query.js";
import { visible } from "./text.js";

const ROW = 58;
const HEAD = 34;
const SPARE = 6;

export class List {
  /** `choose(row, open)` is told what is selected; `open` when the person asked to see it. */
  constructor(data, choose) {
    this.data = data;
    this.choose = choose;
    this.items = [];
    this.tops = [0];
    this.selected = -1;
    this.hidden = false;
    this.mark = () => null;
    this.inner = h("div", { class: "inner", role: "presentation" });
    this.node = h("div", { class: "list", role: "grid", tabindex: "0", "aria-label": "Cases", "aria-readonly": "true" }, this.inner);
    this.node.addEventListener("scroll", () => this.draw(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.inner.addEventListener("click", (event) => {
      const at = event.target.closest("[data-at]")?.dataset.at;
      if (at !== undefined) this.select(Number(at), true);
    });
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /** Show groups of rows; keeps the selected row if it is still there. */
  show(groups) {
    const row = this.row();
    this.items = [];
    for (const { name, rows } of groups) {
      if (name !== null) this.items.push({ name, count: rows.length });
      for (const each of rows) this.items.push({ row: each });
    }
    this.tops = new Float64Array(this.items.length + 1);
    this.items.forEach((item, i) => (this.tops[i + 1] = this.tops[i] + (item.name === undefined ? ROW : HEAD)));
    this.inner.style.height = `${this.tops[this.items.length]}px`;
    this.node.setAttribute("aria-rowcount", this.items.length);
    this.selected = this.items.findIndex((item) => item.row !== undefined && item.row === row);
    this.draw();
  }

  /** The selected row's number. */
  row() {
    return this.items[this.selected]?.row;
  }

  /** Rows in order, without group heads. */
  rows() {
    return this.items.filter((item) => item.row !== undefined).map((item) => item.row);
  }

  /** Select a row by its number; false when it is not in the list. */
  reveal(row) {
    const at = this.items.findIndex((item) => item.row === row);
    if (at >= 0) this.select(at, false);
    return at >= 0;
  }

  /** Move by `step` rows, over group heads. */
  move(step, open) {
    let at = this.selected;
    const way = Math.sign(step) || 1;
    for (let left = Math.abs(step); left > 0; ) {
      const next = at + way;
      if (next < 0 || next >= this.items.length) break;
      at = next;
      if (this.items[at].row !== undefined) left--;
    }
    if (this.items[at]?.row === undefined) at = this.items.findIndex((item) => item.row !== undefined);
    if (at >= 0) this.select(at, open);
  }

  select(at, open) {
    if (this.items[at]?.row === undefined) return;
    this.selected = at;
    const top = this.tops[at];
    const { scrollTop, clientHeight } = this.node;
    if (top - HEAD < scrollTop) this.node.scrollTop = top - HEAD;
    else if (top + ROW > scrollTop + clientHeight) this.node.scrollTop = top + ROW - clientHeight + 8;
    this.draw();
    this.choose(this.items[at].row, open);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.node.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps && !event.metaKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      const step = steps[event.key];
      this.move(Number.isFinite(step) ? step : Math.sign(step) * this.items.length, false);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (this.selected < 0) this.move(1, true);
      else this.select(this.selected, true);
    }
  }

  draw() {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, this.at(scrollTop) - SPARE);
    const last = Math.min(this.items.length, this.at(scrollTop + clientHeight) + SPARE);
    const nodes = [];
    for (let i = first; i < last; i++) nodes.push(this.item(i));
    if (this.selected >= 0 && (this.selected < first || this.selected >= last)) nodes.push(this.item(this.selected));
    this.inner.replaceChildren(...nodes);
    if (this.selected >= 0) this.node.setAttribute("aria-activedescendant", `row-${this.selected}`);
    else this.node.removeAttribute("aria-activedescendant");
  }

  at(y) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  item(at) {
    const item = this.items[at];
    const node =
      item.name !== undefined
        ? h("div", { class: "ghead", role: "row", "aria-rowindex": at + 1 }, h("div", { role: "gridcell" }, h("strong", {}, visible(item.name)), " ", h("span", { class: "quiet" }, number(item.count))))
        : this.line(at, item.row);
    node.style.top = `${this.tops[at]}px`;
    return node;
  }

  line(at, row) {
    const { id, rep, queue, state, ask, why, now, was } = this.data.columns;
    const mark = this.mark(row);
    const [name, tone] = mark ?? (this.hidden ? ["hidden", "plain"] : row_state(queue[row], state[row]));
    const chosen = at === this.selected;
    const cells = [
      h("div", { role: "gridcell", class: "sign", title: name }, shape(tone), h("span", { class: "sr" }, name)),
      h("div", { role: "gridcell", class: "what" }, h("span", { class: "ask", dir: "auto" }, ask[row] || "(no question)"), h("span", { class: "why", dir: "auto" }, this.hidden ? (mark?.[0] ?? "verdict hidden") : why[row])),
      h("div", { role: "gridcell", class: "id" }, h("code", {}, visible(id[row]) + (rep[row] ? ` ·${rep[row]}` : "")), this.hidden && !mark ? null : this.dots(now[row], was[row])),
    ];
    return h("div", { class: "row", role: "row", id: `row-${at}`, "data-at": at, "aria-rowindex": at + 1, "aria-selected": String(chosen) }, cells);
  }

  dots(now, was) {
    const { metrics } = this.data.meta;
    const texts = [...now].map((letter, i) => `${metrics[i]}: ${STATES[letter][0]}${was[i] && was[i] !== letter ? ` (was ${STATES[was[i]][0]})` : ""}`);
    const marks = [...now].map((letter, i) => h("i", { class: `dot ${STATES[letter][1]}${was[i] && was[i] !== "-" && was[i] !== letter ? " moved" : ""}` }));
    return h("span", { class: "dots", title: texts.join("\n") }, marks, h("span", { class: "sr" }, texts.join(", ")));
  }
}

/** Name and tone of a row: its queue, or its state where the queue says nothing. */
function row_state(queue, state) {
  const [name, tone] = QUEUE_NAMES[QUEUES[queue]];
  return QUEUES[queue] === "problem" ? [`${name}: ${STATES[state][0]}`, STATES[state][1]] : [name, tone];
}
