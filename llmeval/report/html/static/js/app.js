// The page: state in the address, two views, keys.

import { announce, h, memory, number } from "./dom.js";
import { Data } from "./data.js";
import { QUEUES, QUEUE_NAMES, SORTS, filter, group, parse, sort, toggle } from "./query.js";
import { List } from "./list.js";
import { detail } from "./detail.js";
import { Labels } from "./labels.js";
import { Review, telling } from "./review.js";
import { Server } from "./server.js";
import { visible } from "./text.js";
import { copy, dialog, flash, select, themes } from "./widgets.js";

const PAGE = 100;
const DEFAULTS = { view: "report", q: "", sort: "triage", group: "", case: "", repeat: "0", page: "", full: "" };
const QUEUE = "#view=cases&q=review:queue&sort=review";
const FLAG_NAMES = {
  quote: "quote not found", hidden: "hidden characters", cached: "answer from cache", cut: "cut off", changed: "case changed",
  advice: "findings in the text", disagrees: "disagreement", unsteady: "passes and fails by turns",
};

class App {
  constructor(data, server) {
    this.data = data;
    this.server = server;
    this.state = { ...DEFAULTS };
    if (!data.meta.baseline) QUEUE_NAMES.new = ["Failure", "fail"];
    this.labels = new Labels(data.meta.run, server);
    this.review = new Review(data, this.labels, server);
    this.diff = true;
    this.blind = server !== null || memory.get("blind") === "on";
    this.keys = memory.get("keys") !== "off";
    this.list = new List(data, (row, open) => this.chosen(row, open));
    this.list.mark = (row) => (this.review.done(row) ? this.said(row) : null);
    if (server) {
      addEventListener("focus", () => this.sync());
      if (!location.hash) history.replaceState(null, "", QUEUE);
    }
    this.build();
    addEventListener("hashchange", () => this.read());
    addEventListener("keydown", (event) => this.key(event));
    this.read();
  }

  // ---- state and address

  read() {
    const hash = location.hash.slice(1);
    const found = Object.fromEntries(new URLSearchParams(hash.includes("=") ? hash : ""));
    const view = found.case || found.view === "cases" ? "cases" : "report";
    this.state = { ...DEFAULTS, ...found, view };
    this.render();
    if (view === "report" && hash && !hash.includes("=")) document.getElementById(hash)?.scrollIntoView();
  }

  write(changes, push = false) {
    Object.assign(this.state, changes);
    const kept = Object.entries(this.state).filter(([name, value]) => value !== DEFAULTS[name]);
    const hash = kept.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%20", "+")}`).join("&");
    history[push ? "pushState" : "replaceState"](null, "", `#${hash || "decision"}`);
  }

  render() {
    const cases = this.state.view === "cases";
    document.body.dataset.view = this.state.view;
    document.body.classList.toggle("blind", this.blind && this.server !== null);
    document.getElementById("report").hidden = cases;
    document.getElementById("cases").hidden = !cases;
    for (const link of document.querySelectorAll("nav [data-view]")) {
      if (link.dataset.view === this.state.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (!cases) return;
    const row = this.state.case ? this.data.find(this.state.case, Number(this.state.repeat)) : undefined;
    this.refresh();
    if (row !== undefined) {
      this.list.reveal(row);
      this.open(row);
    } else if (this.state.case) {
      this.missing();
    } else this.first();
  }

  /** With room for both, the list opens on its first case. */
  first() {
    this.close();
    if (!this.state.page && matchMedia("(min-width: 821px)").matches) this.list.move(1, false);
  }

  // ---- the cases view

  build() {
    const { meta } = this.data;
    this.search = h("input", { type: "search", id: "search", placeholder: "Search or filter", "aria-label": "Search or filter the cases", "aria-describedby": "search-help", autocomplete: "off", spellcheck: "false", oninput: () => this.typed() });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Queues" });
    this.count = h("span", { class: "quiet", id: "count" });
    this.sorting = select("Sort", Object.entries(SORTS).filter(([key]) => key !== "review" || this.server).map(([key, [name]]) => [key, name]), (value) => this.change({ sort: value }));
    this.grouping = select("Group", [["", "No groups"], ["queue", "By queue"], ["metric", "By failing metric"], ...meta.tags.map((tag) => [tag, `By ${visible(tag)}`])], (value) => this.change({ group: value }));
    this.adding = this.filters();
    this.pane = h("div", { class: "pane" });
    this.paged = h("button", { type: "button", class: "ghost", "aria-pressed": "false", onclick: () => this.change({ page: this.state.page ? "" : "1" }) }, "Pages");
    this.blinder = h("button", { type: "button", class: "ghost", "aria-pressed": String(this.blind), title: "Hide verdicts until you give yours (b)", onclick: () => this.toggleBlind() }, "Blind");
    this.deeper = h("button", { type: "button", class: "ghost", hidden: true, onclick: () => this.change({ full: this.state.full ? "" : "1" }) }, "Search full texts");
    this.saver = h("button", { type: "button", class: "ghost", hidden: true, onclick: () => this.save() }, "Save labels");
    this.work = h("div", { class: "work", hidden: this.server === null });
    const bar = h(
      "div",
      { class: "filters" },
      this.work,
      this.search,
      h("span", { id: "search-help", class: "sr" }, "Words, or s:regressed metric:name slice:tag=value flag:name, an exclamation mark before means not."),
      this.chips,
      h("div", { class: "selects" }, this.adding, this.grouping, this.sorting),
      h("div", { class: "counts" }, this.count, this.deeper, h("span", { class: "spring" }), this.blinder, this.saver, this.paged),
    );
    this.table = h("div", { class: "pages" });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.side = h("div", { class: "side" }, this.trouble, bar, this.list.node, this.table);
    document.getElementById("cases").replaceChildren(h("h1", { class: "sr" }, "Cases"), this.side, this.pane);
    this.saved();
  }

  filters() {
    const { meta } = this.data;
    const options = [["", "Add a filter"]];
    const groups = [];
    const put = (label, key, values) => values.length && groups.push(h("optgroup", { label }, values.map(([value, name]) => h("option", { value: `${key}\n${value}` }, visible(name)))));
    put("Fails on", "metric", meta.metrics.map((name) => [name, name]));
    put("State", "s", ["pass", "fail", "open", "unscored", "not_scored", "error"].map((name) => [name, name]));
    const used = new Set(this.data.columns.flags ?? []);
    put("Marked", "flag", meta.flags.map((flag, bit) => [flag, FLAG_NAMES[flag], bit]).filter(([, , bit]) => [...used].some((flags) => flags & (1 << bit))));
    for (const tag of meta.tags) {
      const values = [...new Set(meta.combos.map((combo) => combo[tag]).filter((value) => value !== undefined))].sort();
      if (values.length <= 200) put(tag, "slice", values.map((value) => [`${tag}=${value}`, value]));
    }
    put("Sample", "sample", [["50", "50 random cases"], ["100", "100 random cases"]]);
    const node = select("Filter", options, (value) => {
      if (value) this.change({ q: toggle(this.state.q, ...value.split("\n")) });
      node.querySelector("select").value = "";
    });
    node.querySelector("select").append(...groups);
    return node;
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.change({ q: this.search.value.trim() }), 120);
  }

  change(changes) {
    this.write({ case: "", repeat: "0", ...(changes.page === undefined && this.state.page ? { page: "1" } : {}), ...changes });
    this.refresh();
    if (this.opened !== undefined && this.list.row() === this.opened) this.write({ case: this.data.columns.id[this.opened], repeat: String(this.data.columns.rep[this.opened]) });
    else this.first();
  }

  refresh() {
    const { q, page } = this.state;
    if (document.activeElement !== this.search) this.search.value = q;
    this.sorting.querySelector("select").value = this.state.sort;
    this.grouping.querySelector("select").value = this.state.group;
    const words = this.state.full ? this.words() : [];
    const missing = words.some((word) => !this.data.deep?.has(word));
    if (missing) this.look(words);
    this.drawWork();
    const key = JSON.stringify([this.labels.records.length, [...this.data.disputed], q, this.state.sort, this.state.group, page, this.blind, words, missing]);
    if (key === this.shown) return;
    this.shown = key;
    const rows = sort(this.data, filter(this.data, q), this.state.sort);
    this.list.hidden = this.blind;
    this.list.show(group(this.data, rows, this.state.group));
    this.total = rows.length;
    const all = `${number(this.data.size)} ${this.data.size === 1 ? "row" : "rows"}`;
    const text = rows.length === this.data.size ? all : `${number(rows.length)} of ${all}`;
    this.count.textContent = text;
    announce(text);
    this.deeper.hidden = this.words().length === 0;
    this.deeper.setAttribute("aria-pressed", String(Boolean(this.state.full)));
    this.drawChips();
    this.drawPages();
  }

  words() {
    return parse(this.state.q).filter((token) => token.key === "text").map((token) => token.value.toLowerCase());
  }

  /** Search the full texts of all rows held, a chunk at a time, then show what was found. */
  async look(words) {
    const key = words.join("\n");
    if (this.looking === key) return;
    this.looking = key;
    await this.data.search(words, (share) => (this.deeper.textContent = `Searching ${Math.round(share * 100)}%`));
    this.deeper.textContent = "Search full texts";
    this.looking = "";
    this.refresh();
  }

  drawChips() {
    const active = new Set(parse(this.state.q).filter((token) => token.key === "s" && !token.not).map((token) => token.value));
    this.chips.replaceChildren(
      ...QUEUES.slice(1)
        .filter((key) => this.data.meta.queues[key.toUpperCase()])
        .map((key) =>
          h("button", { type: "button", class: `chip ${key}`, "aria-pressed": String(active.has(key)), onclick: () => this.change({ q: toggle(this.state.q, "s", key) }) }, QUEUE_NAMES[key][0], " ", h("span", { class: "num" }, number(this.data.meta.queues[key.toUpperCase()]))),
        ),
    );
  }

  drawWork() {
    if (!this.server) return;
    const { q } = this.state;
    document.body.classList.toggle("reviewing", q.startsWith("review:"));
    const chip = (word, count, query, order) => h("button", { type: "button", class: "chip", "aria-pressed": String(q === query), onclick: () => this.change({ q: query, sort: order, group: "" }) }, word, " ", h("span", { class: "num" }, number(count)));
    const chips = [chip("To review", this.data.queue.size, "review:queue", "review"), chip("To decide", this.data.disputed.size, "review:decide", "triage"), chip("All", this.data.size, "", "triage")];
    const open = this.review.next(this.opened);
    const next = h("button", { type: "button", class: "ghost", disabled: open === undefined, onclick: () => this.next() }, "Next open");
    this.work.replaceChildren(this.review.progress(), h("div", { class: "chips", role: "group", "aria-label": "Review" }, chips, next));
  }

  /** What the reader said about a row: in words, and the tone of the worst of it. */
  said(row) {
    const { id, rep } = this.data.columns;
    const said = this.data.queue.get(row).metrics.map((metric) => this.labels.of(id[row], rep[row], metric).human_verdict);
    return [`you: ${said.join(", ")}`, ["fail", "unsure", "pass"].find((verdict) => said.includes(verdict))];
  }

  next() {
    const row = this.review.next(this.opened);
    if (row === undefined) return announce("All of the queue is done.");
    if (!this.list.rows().includes(row)) this.change({ q: "review:queue", sort: "review", group: "" });
    this.list.reveal(row);
    return undefined;
  }

  /** What other tabs and reviewers did meanwhile. */
  async sync() {
    await this.attempt(() => this.server.refresh());
    this.review.update();
    this.refresh();
    this.again();
  }

  /** A plain table a hundred rows at a time: for screen readers, find-in-page and print. */
  drawPages() {
    const on = Boolean(this.state.page);
    this.paged.setAttribute("aria-pressed", String(on));
    this.list.node.hidden = on;
    this.table.hidden = !on;
    if (!on) return this.table.replaceChildren();
    const rows = this.list.rows();
    const last = Math.max(1, Math.ceil(rows.length / PAGE));
    const page = Math.min(last, Math.max(1, Number(this.state.page) || 1));
    const { id, rep, queue, ask, why } = this.data.columns;
    const lines = rows.slice((page - 1) * PAGE, page * PAGE).map((row) => {
      const link = h("a", { href: `#case=${encodeURIComponent(id[row])}${rep[row] ? `&repeat=${rep[row]}` : ""}`, onclick: (event) => { event.preventDefault(); this.chosen(row, true); } }, visible(id[row]) + (rep[row] ? ` repeat ${rep[row]}` : ""));
      return h("tr", {}, h("th", { scope: "row" }, link), h("td", {}, this.blind ? "hidden" : QUEUE_NAMES[QUEUES[queue[row]]][0]), h("td", { dir: "auto" }, ask[row]), h("td", { dir: "auto" }, this.blind ? "" : why[row]));
    });
    const step = (to, word) => h("button", { type: "button", class: "ghost", disabled: to < 1 || to > last, onclick: () => { this.write({ page: String(to) }); this.refresh(); } }, word);
    this.table.replaceChildren(
      h("p", { class: "pager" }, step(page - 1, "Previous page"), ` Page ${number(page)} of ${number(last)} `, step(page + 1, "Next page")),
      h("table", {}, h("thead", {}, h("tr", {}, ["Case", "Queue", "Asked", "Why"].map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, lines)),
    );
    return undefined;
  }

  // ---- one case

  chosen(row, open) {
    const { id, rep } = this.data.columns;
    this.write({ case: id[row], repeat: String(rep[row]) }, open && this.opened === undefined);
    this.open(row, open);
  }

  async open(row, focus = false) {
    this.opened = row;
    document.body.classList.add("open");
    const full = await this.data.full(row);
    if (this.opened !== row) return;
    const rows = this.list.rows();
    const at = rows.indexOf(row);
    this.full = full;
    const view = {
      diff: this.diff, blind: this.blind, deciding: this.deciding(), asked: (score) => this.review.asked(row, score), labels: this.labels, trust: this.data.meta.judges,
      position: at < 0 ? "not in this list" : `${number(at + 1)} of ${number(rows.length)}`,
      toggleDiff: () => this.toggleDiff(),
      flash: (mark) => flash(mark),
      slice: (value) => this.change({ q: toggle("", "slice", value) }),
      vote: (score, verdict) => this.vote(score, verdict),
      comment: (score) => this.comment(score),
      undo: () => this.undo(),
    };
    if (full && (!this.blind || telling(this.state))) this.review.saw(row);
    const bar = h(
      "div",
      { class: "casebar" },
      h("button", { type: "button", class: "ghost back", onclick: () => this.back() }, "← List"),
      h("button", { type: "button", class: "ghost", onclick: () => this.list.move(-1, false) }, "Previous"),
      h("button", { type: "button", class: "ghost", onclick: () => this.list.move(1, false) }, "Next"),
      h("span", { class: "spring" }),
      h("button", { type: "button", class: "ghost", onclick: (event) => copy(event.target) }, "Copy link"),
    );
    const top = this.redraw ? this.pane.scrollTop : 0;
    this.redraw = false;
    this.pane.replaceChildren(bar, detail(this.data, row, full, view));
    this.pane.scrollTop = top;
    if (focus) document.getElementById("case-title")?.focus();
    const next = rows[at + 1];
    if (next !== undefined && this.data.columns.chunk[next] >= 0) this.data.chunk(this.data.columns.chunk[next]);
  }

  again() {
    this.redraw = true;
    if (this.opened !== undefined) this.open(this.opened);
  }

  close() {
    this.opened = undefined;
    document.body.classList.remove("open");
    this.pane.replaceChildren(h("div", { class: "nothing" }, h("p", {}, this.total ? "Choose a case." : "No case fits. Take a filter away."), h("p", { class: "quiet" }, h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " move, ", h("kbd", {}, "Enter"), " opens, ", h("kbd", {}, "?"), " shows all keys.")));
  }

  missing() {
    this.close();
    this.pane.replaceChildren(h("div", { class: "nothing" }, h("p", {}, "This run has no case ", h("code", {}, visible(this.state.case)), ".")));
  }

  back() {
    this.write({ case: "", repeat: "0" });
    this.close();
    this.list.node.focus();
  }

  // ---- labels

  async vote(score, verdict, comment) {
    const { answer } = this.full.now;
    const sample = parse(this.state.q).find((token) => token.key === "sample" && !token.not);
    const only = sample && parse(this.state.q).length === 1;
    const place = [answer.case_id, answer.repeat ?? 0, score.metric];
    const known = this.labels.of(...place);
    const deciding = this.labels.conflict(...place) !== null && this.deciding();
    await this.attempt(async () => {
      const kept = await this.labels.add(answer, score, verdict, {
        comment: comment ?? known?.comment ?? "",
        // once the verdict was shown, a changed mind is not a blind one
        blind: known ? known.blind && known.human_verdict === verdict : this.blind && this.review.blindTo(this.opened),
        sampling: only ? "random" : "triage",
        probability: only ? Math.min(1, Number(sample.value) / this.data.size) : null,
        adjudication: deciding,
      });
      this.review.saw(this.opened);
      announce(kept ? `${deciding ? "Decided" : "Recorded"}: ${verdict}` : "Recorded for now; this browser does not keep it. Save the labels before you leave.");
    });
    this.saved();
  }

  /** The reader looks at what reviewers differ on. */
  deciding() {
    return parse(this.state.q).some((token) => token.key === "review" && token.value === "decide");
  }

  async undo() {
    await this.attempt(async () => {
      const answer = await this.labels.undo();
      announce(answer ? `Taken back: ${answer.case_id}` : "Nothing to take back.");
      const row = answer ? this.data.find(answer.case_id, answer.repeat ?? 0) : undefined;
      if (row !== undefined && row !== this.opened) this.chosen(row, false);
    });
    this.saved();
  }

  /** Do something that the server may refuse, or not be there for; say so where it is seen. */
  async attempt(action) {
    this.trouble.hidden = true;
    try {
      await action();
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = `Not saved. ${error instanceof TypeError ? "The review server does not answer: start `llmeval review` again." : error.message}`;
    }
  }

  comment(score) {
    const known = this.labels.of(this.full.case.id, score.repeat ?? 0, score.metric);
    const field = h("textarea", { rows: 4, maxlength: 4000, "aria-label": "Comment" });
    field.value = known?.comment ?? "";
    const name = h("input", { type: "text", "aria-label": "Your name", placeholder: "Your name (optional)" });
    name.value = this.labels.reviewer;
    dialog("Comment", this.server ? [field] : [field, name], "Keep", () => {
      if (!this.server) this.labels.name(name.value.trim());
      this.vote(score, known.human_verdict, field.value.trim());
    });
    field.focus();
  }

  saved() {
    const n = this.labels.records.length;
    this.review.update();
    this.again();
    if (this.state.view === "cases") this.refresh();
    this.saver.hidden = n === 0 || this.server !== null;
    this.saver.textContent = `Save ${number(n)} ${n === 1 ? "label" : "labels"}`;
  }

  save() {
    const url = URL.createObjectURL(new Blob([this.labels.jsonl()], { type: "application/x-ndjson" }));
    const link = h("a", { href: url, download: `labels-${this.data.meta.run}.jsonl` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    announce("Labels saved as a file. Take them in with: llmeval labels import");
  }

  // ---- keys

  toggleDiff() {
    this.diff = !this.diff;
    this.again();
  }

  toggleBlind() {
    this.blind = !this.blind;
    if (!this.server) memory.set("blind", this.blind ? "on" : "off");
    document.body.classList.toggle("blind", this.blind && this.server !== null);
    this.blinder.setAttribute("aria-pressed", String(this.blind));
    announce(this.blind ? "Verdicts are hidden until you give yours" : "Verdicts are shown");
    this.refresh();
    this.again();
  }

  key(event) {
    if (event.key === "Escape" && this.state.view === "cases" && !document.querySelector("dialog[open]")) {
      if (document.activeElement === this.search) this.list.node.focus();
      else if (this.opened !== undefined) this.back();
      return;
    }
    if (!this.keys || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select")) return;
    const action = this.actions()[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  actions() {
    const cases = () => {
      if (this.state.view === "cases") return true;
      this.write({ view: "cases" }, true);
      this.render();
      return this.opened === undefined;
    };
    const votes = ["pass", "fail"];
    const vote = (pick) => {
      const score = this.votable();
      if (score) this.vote(score, pick(score.status, this.blind && !this.labels.of(score.case_id, score.repeat ?? 0, score.metric)));
    };
    return {
      j: () => cases() && this.list.move(1, false),
      k: () => cases() && this.list.move(-1, false),
      "/": () => { cases(); this.search.focus(); },
      d: () => this.toggleDiff(),
      b: () => { cases(); this.toggleBlind(); },
      c: () => { const score = this.votable(); if (score && this.labels.of(this.full.case.id, score.repeat ?? 0, score.metric)) this.comment(score); },
      u: () => this.undo(),
      n: () => this.server && cases() && this.next(),
      r: () => { location.hash = "#decision"; },
      // nobody can agree with what is hidden: then the keys say what they think of the answer
      1: () => vote((status, hidden) => (hidden ? "pass" : status)),
      2: () => vote((status, hidden) => (hidden ? "fail" : votes.find((other) => other !== status))),
      3: () => vote(() => "unsure"),
      "?": () => this.help(),
    };
  }

  /** The score that keys vote on: the first asked about that is open, or the first that fails. */
  votable() {
    if (this.opened === undefined || !this.full) return null;
    const scores = this.full.now.scores.filter((score) => ["pass", "fail"].includes(score.status));
    const asked = scores.filter((score) => this.review.asked(this.opened, score));
    const open = asked.find((score) => !this.labels.of(score.case_id, score.repeat ?? 0, score.metric));
    return open ?? asked[0] ?? scores.find((score) => score.status === "fail") ?? scores[0] ?? null;
  }

  help() {
    const keys = [["j  k", "next, previous case"], ["Enter", "open"], ["Esc", "back to the list"], ["/", "search"], ["d", "word differences"], ["1  2  3", "agree, disagree, unsure (with the judge, else the first failing check); pass, fail, unsure while its verdict is hidden"], ["c", "comment on your verdict"], ["u", "undo your last verdict"], ...(this.server ? [["n", "next open answer of your queue"]] : []), ["b", "blind: hide verdicts until you give yours"], ["r", "report"], ["?", "this list"]];
    const box = h("input", { type: "checkbox", checked: this.keys, onchange: (event) => { this.keys = event.target.checked; memory.set("keys", this.keys ? "on" : "off"); } });
    dialog("Keys", [h("dl", { class: "pairs keys" }, keys.map(([key, what]) => [h("dt", {}, key.split("  ").map((one) => [h("kbd", {}, one), " "])), h("dd", {}, what)])), h("label", {}, box, " Single keys are on")], "Close", () => {});
  }
}

async function main() {
  document.documentElement.classList.add("scripted");
  for (const node of document.querySelectorAll(".js[hidden]:not(#cases)")) node.hidden = false;
  themes();
  addEventListener("beforeprint", () => document.querySelectorAll("#report details").forEach((node) => (node.open ||= !node.closest(".item:nth-child(n+11)"))));
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("cases").append(h("p", { class: "note" }, "This browser is too old to open the rows (it has no DecompressionStream). Use a newer one, or: llmeval review RUN"));
    return;
  }
  const data = await Data.load();
  const server = data.meta.served ? await Server.connect().catch(() => undefined) : null;
  if (server === undefined) {
    document.querySelector("main").prepend(h("p", { class: "note", role: "alert" }, "The review server does not answer. Start llmeval review again."));
    return;
  }
  const app = new App(data, server);
  document.getElementById("help").addEventListener("click", () => app.help());
  document.documentElement.dataset.ready = "yes";
}

main();
