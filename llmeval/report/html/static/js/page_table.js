// The cases as a plain table, a hundred at a time: for screen readers, find-in-page and print.

import { caseLink } from "./address.js";
import { h, number } from "./dom.js";
import { visible } from "./hidden.js";
import { QUEUES, queueName } from "./vocabulary.js";
import { ghostButton } from "./widgets.js";

/** @typedef {import("./data.js").Data} Data */

/**
 * @typedef {object} TableView
 * @property {string} page Number of the page, from 1.
 * @property {boolean} blind Whether verdicts are hidden.
 * @property {(page: number) => void} turn Go to a page.
 * @property {(row: number) => void} open Open a case.
 */

/** Rows on a page. */
const PAGE = 100;

/**
 * @param {Data} data
 * @param {number[]} rows
 * @param {TableView} view
 */
export function pageTable(data, rows, view) {
  const last = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(last, Math.max(1, Number(view.page) || 1));
  const shown = rows.slice((page - 1) * PAGE, page * PAGE);
  const step = (/** @type {number} */ to, /** @type {string} */ word) =>
    ghostButton(word, () => view.turn(to), { disabled: to < 1 || to > last });
  const heads = ["Case", "Queue", "Question", "Why"].map((word) => h("th", { scope: "col" }, word));
  return [
    h(
      "p",
      { class: "pager" },
      step(page - 1, "Previous page"),
      ` Page ${number(page)} of ${number(last)} `,
      step(page + 1, "Next page"),
    ),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, heads)),
      h(
        "tbody",
        {},
        shown.map((row) => tableLine(data, row, view)),
      ),
    ),
  ];
}

/**
 * @param {Data} data
 * @param {number} row
 * @param {TableView} view
 */
function tableLine({ columns, meta }, row, view) {
  const { id, rep, queue, ask, why } = columns;
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    view.open(row);
  };
  const name = visible(id[row]) + (rep[row] ? ` repeat ${rep[row]}` : "");
  const word = queueName(meta, QUEUES[queue[row]]).word;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: caseLink(id[row], rep[row]), onclick: open }, name)),
    h("td", {}, view.blind ? "hidden" : word),
    h("td", { dir: "auto" }, ask[row]),
    h("td", { dir: "auto" }, view.blind ? "" : why[row]),
  );
}
