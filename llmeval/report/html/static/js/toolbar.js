// Above the list: search, queues, filters, order, and what the reviewer has done.

import { h, number } from "./dom.js";
import { visible } from "./hidden.js";
import { SORTS } from "./order.js";
import { parse, searchWords, toggle } from "./query.js";
import { FLAGS, QUEUES, queueName, STATE_LETTERS, STATES } from "./vocabulary.js";
import { choice, ghostButton } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./data.js").Data} Data */

/** Typing pauses for this many milliseconds before the list follows. */
const PAUSE = 120;
/** A tag with more values than this is not offered as a filter: the menu would be endless. */
const MOST_VALUES = 200;
const SEARCH_HELP =
  "Type words, or filters: s:regressed, metric:name, slice:tag=value, flag:name. An exclamation mark before a filter excludes what it matches.";
const SEARCH_TEXTS = "Search full texts";

export class Toolbar {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const { meta } = app.data;
    this.search = h("input", {
      type: "search",
      id: "search",
      placeholder: "Search question, reason or id",
      "aria-label": "Search or filter the cases",
      "aria-describedby": "search-help",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.typed(),
    });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Filter by queue" });
    this.count = h("span", { class: "quiet", id: "count" });
    this.sorting = choice("Sort", sortOptions(app.server !== null), (sort) => app.change({ sort }));
    const groups = /** @type {[string, string][]} */ ([
      ["", "No groups"],
      ["queue", "By queue"],
      ["metric", "By failing metric"],
      ...meta.tags.map((tag) => [tag, `By ${visible(tag)}`]),
    ]);
    this.grouping = choice("Group", groups, (group) => app.change({ group }));
    this.pages = ghostButton("Table", () => app.change({ page: app.state.page ? "" : "1" }), {
      "aria-pressed": "false",
      title: "Show the answers as a plain table, 100 at a time",
    });
    this.blind = ghostButton("Hide verdicts", () => app.toggleBlind(), {
      "aria-pressed": String(app.blind),
      title: "Hide each verdict until you have given yours, so that it can't influence you (b)",
    });
    this.deeper = ghostButton(SEARCH_TEXTS, () => app.change({ full: app.state.full ? "" : "1" }), {
      hidden: true,
    });
    this.save = ghostButton("Save labels", () => app.labelling.save(), { hidden: true });
    this.work = h("div", { class: "work", hidden: app.server === null });
    this.node = h(
      "div",
      { class: "filters" },
      this.work,
      this.search,
      h("span", { id: "search-help", class: "sr" }, SEARCH_HELP),
      this.chips,
      h("div", { class: "selects" }, this.filters(), this.grouping.node, this.sorting.node),
      h(
        "div",
        { class: "counts" },
        this.count,
        this.deeper,
        h("span", { class: "spring" }),
        this.blind,
        this.save,
        this.pages,
      ),
    );
  }

  /** The menu that adds a filter to the query. */
  filters() {
    const { select, node } = choice("Filter", [["", "Add a filter"]], (value) => {
      const [key, ...rest] = value.split("\n");
      if (value) this.app.change({ q: toggle(this.app.state.q, key, rest.join("\n")) });
      select.value = "";
    });
    for (const { label, key, values } of filterGroups(this.app.data)) {
      if (!values.length) continue;
      const options = values.map(([value, name]) =>
        h("option", { value: `${key}\n${value}` }, visible(name)),
      );
      select.append(h("optgroup", { label }, options));
    }
    return node;
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.app.change({ q: this.search.value.trim() }), PAUSE);
  }

  /** Show the state in the controls. */
  update() {
    const { q, sort, group } = this.app.state;
    // What the reader types must not change under their fingers.
    if (document.activeElement !== this.search) this.search.value = q;
    this.sorting.select.value = sort;
    this.grouping.select.value = group;
    this.drawWork();
  }

  /**
   * After the list changed.
   *
   * @param {number} rows How many rows are in the list.
   * @returns {string} The count in words.
   */
  drawCounts(rows) {
    const { size } = this.app.data;
    const all = `${number(size)} ${size === 1 ? "answer" : "answers"}`;
    const text = rows === size ? all : `${number(rows)} of ${all}`;
    this.count.textContent = text;
    this.deeper.hidden = searchWords(this.app.state.q).length === 0;
    this.deeper.setAttribute("aria-pressed", String(Boolean(this.app.state.full)));
    this.pages.setAttribute("aria-pressed", String(Boolean(this.app.state.page)));
    this.drawChips();
    return text;
  }

  /**
   * How far the search in full texts is.
   *
   * @param {number | null} share In [0, 1]; null when it has ended.
   */
  drawSearching(share) {
    this.deeper.textContent =
      share === null ? SEARCH_TEXTS : `Searching ${Math.round(share * 100)}%`;
  }

  /** A chip for each queue that has rows. */
  drawChips() {
    const { app } = this;
    const { meta } = app.data;
    const tokens = parse(app.state.q).filter((token) => token.key === "s" && !token.not);
    const active = new Set(tokens.map((token) => token.value));
    const chips = QUEUES.slice(1).flatMap((queue) => {
      const count = meta.queues[queue.toUpperCase()];
      if (!count) return [];
      const attributes = {
        type: "button",
        class: `chip ${queue}`,
        "aria-pressed": String(active.has(queue)),
        onclick: () => app.change({ q: toggle(app.state.q, "s", queue) }),
      };
      const size = h("span", { class: "num" }, number(count));
      return [h("button", attributes, queueName(meta, queue).word, " ", size)];
    });
    this.chips.replaceChildren(...chips);
  }

  /** The reviewer's progress and queues. */
  drawWork() {
    const { app } = this;
    if (!app.server) return;
    document.body.classList.toggle("reviewing", app.state.q.startsWith("review:"));
    const { queue, disputed, size } = app.data;
    const chips = [
      this.workChip("To review", queue.size, "review:queue", "review"),
      this.workChip("To decide", disputed.size, "review:decide", "triage"),
      this.workChip("All", size, "", "triage"),
    ];
    const next = ghostButton("Next unreviewed", () => app.next(), {
      disabled: app.review.next(app.pane.row) === undefined,
    });
    this.work.replaceChildren(
      app.review.progress(),
      h("div", { class: "chips", role: "group", "aria-label": "Review" }, chips, next),
    );
  }

  /**
   * @param {string} word
   * @param {number} count
   * @param {string} q
   * @param {string} sort
   */
  workChip(word, count, q, sort) {
    const attributes = {
      type: "button",
      class: "chip",
      "aria-pressed": String(this.app.state.q === q),
      onclick: () => this.app.change({ q, sort, group: "" }),
    };
    return h("button", attributes, word, " ", h("span", { class: "num" }, number(count)));
  }

  /** @param {number} labels How many labels this browser holds that no file has. */
  drawSave(labels) {
    this.save.hidden = labels === 0 || this.app.server !== null;
    this.save.textContent = `Save ${number(labels)} ${labels === 1 ? "label" : "labels"}`;
  }
}

/**
 * @param {boolean} served
 * @returns {[string, string][]}
 */
function sortOptions(served) {
  const keys = Object.keys(SORTS).filter((key) => key !== "review" || served);
  return keys.map((key) => [key, SORTS[key].name]);
}

/**
 * What can be filtered by: [value, name] by key of the query.
 *
 * @param {Data} data
 * @returns {{ label: string, key: string, values: [string, string][] }[]}
 */
function filterGroups({ columns, meta }) {
  const used = [...new Set(columns.flags)];
  const flags = meta.flags.filter((_, bit) => used.some((bits) => bits & (1 << bit)));
  const tags = meta.tags.map((tag) => {
    const values = new Set(meta.combos.map((combo) => combo[tag]).filter((v) => v !== undefined));
    return { tag, values: [...values].sort() };
  });
  return [
    {
      label: "Fails or is missing on",
      key: "metric",
      values: meta.metrics.map((name) => [name, name]),
    },
    {
      label: "State",
      key: "s",
      values: [...STATE_LETTERS].map(([name, letter]) => [name, STATES[letter].word]),
    },
    { label: "Remarks", key: "flag", values: flags.map((flag) => [flag, FLAGS[flag]]) },
    ...tags
      .filter(({ values }) => values.length <= MOST_VALUES)
      .map(({ tag, values }) => ({
        label: tag,
        key: "slice",
        values: /** @type {[string, string][]} */ (values.map((v) => [`${tag}=${v}`, v])),
      })),
    {
      label: "Sample",
      key: "sample",
      values: [
        ["50", "50 random cases"],
        ["100", "100 random cases"],
      ],
    },
  ];
}
