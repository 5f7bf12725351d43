// The answer table: which rows it shows, more of them as the reader scrolls, and its keys.

import { answerRow, bareRow, markCut, toggleRow } from "./answers_row.js";
import { announce, byId, h, number } from "./dom.js";

/** @import { AnswerData, Show } from "./answers_data.js" */

/** Rows that are drawn at once. */
const BATCH = 40;
/** @type {Record<string, Show>} */
const SHOW_KEYS = { a: "all", o: "outcomes", d: "differ", f: "failing" };

/** The rows that fit the filters, drawn in batches. */
export class AnswerList {
  /** @param {AnswerData} data */
  constructor(data) {
    this.data = data;
    /** @type {Show} */
    this.filter = "all";
    this.against = 0;
    this.metric = -1;
    /** @type {Set<number> | null} */
    this.matches = null;
    this.searches = 0;
    /** @type {number[]} */
    this.rows = [];
    this.drawn = 0;
    this.drawing = false;
    this.turn = 0;
    /** @type {IntersectionObserver | null} */
    this.observer = null;
    this.listen();
  }

  listen() {
    for (const button of this.buttons()) {
      button.addEventListener("click", () =>
        this.choose(/** @type {Show} */ (button.dataset.show)),
      );
    }
    const search = /** @type {HTMLInputElement} */ (byId("search"));
    let timer = 0;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.search(search.value), 200);
    });
    const against = /** @type {HTMLSelectElement} */ (byId("against"));
    against.addEventListener("change", () => {
      this.against = Number(against.value);
      this.show();
    });
    const metric = /** @type {HTMLSelectElement} */ (byId("metric"));
    metric.addEventListener("change", () => {
      this.metric = Number(metric.value);
      this.count();
      this.show();
    });
    byId("more").addEventListener("click", () => this.draw());
    byId("keys").addEventListener("click", () => {
      const hidden = byId("key-list").toggleAttribute("hidden");
      byId("keys").setAttribute("aria-expanded", String(!hidden));
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeprint", () => this.openForPrint());
    // Everything above the window counts as reached: a jump to the end passes the line.
    this.observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.draw();
      },
      { rootMargin: "1000000px 0px 600px 0px" },
    );
    this.observer.observe(byId("more-line"));
  }

  buttons() {
    return /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("[data-show]")]);
  }

  /** @param {Show} show */
  choose(show) {
    this.filter = show;
    for (const button of this.buttons()) {
      button.setAttribute("aria-pressed", String(button.dataset.show === show));
    }
    this.show();
  }

  /** The number of rows on each button. */
  count() {
    for (const button of this.buttons()) {
      const rows = this.data.select(/** @type {Show} */ (button.dataset.show), this.metric, null);
      const place = button.querySelector(".n");
      if (place) place.textContent = number(rows.length);
    }
  }

  /** @param {string} text */
  async search(text) {
    const turn = ++this.searches;
    if (!text.trim()) {
      this.matches = null;
      return this.show();
    }
    announce("Searching…");
    const matches = await this.data.search(text, () => turn !== this.searches);
    if (turn !== this.searches) return;
    this.matches = matches;
    return this.show();
  }

  /** Draw the table again from its first row. */
  async show() {
    this.turn += 1;
    this.drawing = false;
    this.rows = this.data.select(this.filter, this.metric, this.matches);
    this.drawn = 0;
    byId("rows").replaceChildren();
    byId("answers-wrap").scrollTop = 0;
    const all = this.rows.length === this.data.size;
    announce(
      all
        ? `${number(this.data.size)} cases, those with different outcomes first`
        : `${number(this.rows.length)} of ${number(this.data.size)} cases`,
    );
    if (this.rows.length === 0) {
      const columns = this.data.meta.columns.length + 1;
      const text = this.data.size
        ? "No case fits. Choose All, or empty the search."
        : "The runs have no case.";
      byId("rows").append(h("tr", {}, h("td", { colspan: columns, class: "quiet" }, text)));
    }
    await this.draw();
  }

  /** Draw the next rows. */
  async draw() {
    if (this.drawing) return;
    this.drawing = true;
    const turn = this.turn;
    const { columns } = this.data.meta;
    const next = this.rows.slice(this.drawn, this.drawn + BATCH);
    const full = await Promise.all(next.map((row) => this.data.full(row)));
    if (turn !== this.turn) return; // the filters have changed meanwhile
    const nodes = next.map((row, at) => {
      const texts = full[at];
      return texts
        ? answerRow(texts, columns, this.against)
        : bareRow(this.data.ids[row], this.data.asks[row], this.data.letters(row, -1));
    });
    byId("rows").append(...nodes);
    for (const node of nodes) markCut(node);
    this.drawn += next.length;
    const left = this.rows.length - this.drawn;
    byId("more-line").hidden = left === 0;
    byId("more").textContent = `Show more (${number(left)} left)`;
    this.drawing = false;
    // Where the line is still in view, only a new observation reports it.
    this.observer?.unobserve(byId("more-line"));
    this.observer?.observe(byId("more-line"));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input, select, textarea")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "j" || event.key === "k") {
      this.move(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && target.matches("#rows > tr")) {
      toggleRow(target);
    } else if (SHOW_KEYS[event.key]) {
      this.choose(SHOW_KEYS[event.key]);
    }
  }

  /** @param {number} step */
  move(step) {
    const rows = /** @type {HTMLElement[]} */ ([...byId("rows").children]);
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[at < 0 ? 0 : at + step];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }

  openForPrint() {
    for (const row of byId("rows").children) row.classList.add("whole");
  }
}
