// One row of the answer table: the case, and the answer of each run with its word differences.

import { diff } from "./diff.js";
import { h, status } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";

/** @import { Tone } from "./types.js" */
/** @import { AnswerRow, CellText, Column } from "./answers_data.js" */

/** @type {Record<string, [string, Tone]>} Word and tone of each outcome; answer_table.py has the same. */
const OUTCOMES = {
  p: ["passes", "pass"],
  f: ["fails", "fail"],
  u: ["unscored", "unsure"],
  n: ["not scored yet", "unsure"],
  e: ["error", "invalid"],
  o: ["needs review", "unsure"],
};

/**
 * @param {AnswerRow} row
 * @param {Column[]} columns
 * @param {number} against The column whose words the others are compared with; -1 for none.
 */
export function answerRow(row, columns, against) {
  const base = against < 0 ? null : (row.cells[against]?.[0] ?? null);
  const cells = row.cells.map((answers, at) =>
    answerCell(answers, columns[at], at === against ? null : base, columns[against]),
  );
  const more = h("button", { type: "button", class: "ghost expand" }, "Whole answers");
  const node = h(
    "tr",
    { tabindex: -1, "data-id": row.id },
    h(
      "th",
      { scope: "row" },
      h("code", {}, visible(row.id)),
      h("span", { class: "ask", dir: "auto" }, visible(row.question)),
      row.references.length > 0 &&
        h(
          "span",
          { class: "reference quiet small", dir: "auto" },
          `Reference: ${visible(row.references.join(" | "))}`,
        ),
      more,
    ),
    cells,
  );
  more.addEventListener("click", () => toggleRow(node));
  return node;
}

/**
 * A case whose texts this file does not hold.
 *
 * @param {string} id
 * @param {string} ask
 * @param {string[]} letters
 */
export function bareRow(id, ask, letters) {
  return h(
    "tr",
    { tabindex: -1, "data-id": id },
    h(
      "th",
      { scope: "row" },
      h("code", {}, visible(id)),
      h("span", { class: "ask", dir: "auto" }, ask),
    ),
    letters.map((letter) =>
      h("td", {}, outcome(letter), h("p", { class: "quiet small" }, "not in this file")),
    ),
  );
}

/**
 * Show whole answers, or only their beginnings.
 *
 * @param {HTMLElement} node
 */
export function toggleRow(node) {
  const whole = node.classList.toggle("whole");
  const button = node.querySelector(".expand");
  if (button) button.textContent = whole ? "Less" : "Whole answers";
}

/**
 * Offer whole answers only where something is cut.
 *
 * @param {HTMLElement} node A row in the document.
 */
export function markCut(node) {
  const texts = [...node.querySelectorAll(".text")];
  const cut = texts.some((text) => text.scrollHeight > text.clientHeight + 2);
  node.querySelector(".expand")?.toggleAttribute("hidden", !cut);
}

/** @param {string} letter */
function outcome(letter) {
  const [word, tone] = OUTCOMES[letter] ?? ["not in this run", "plain"];
  return status(tone, word);
}

/**
 * @param {CellText[] | null} answers
 * @param {Column} column
 * @param {CellText | null} base
 * @param {Column | undefined} baseColumn
 */
function answerCell(answers, column, base, baseColumn) {
  const label = h("span", { class: "column" }, `${column.letter} ${visible(column.name)}`);
  if (!answers) {
    return h("td", {}, label, h("p", { class: "quiet" }, "this run does not have the case"));
  }
  const [first, ...others] = answers;
  return h(
    "td",
    {},
    label,
    answerBlock(first, base, baseColumn),
    others.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, `${others.length} more ${others.length === 1 ? "answer" : "answers"}`),
        others.map((answer) => answerBlock(answer, null, undefined)),
      ),
  );
}

/**
 * @param {CellText} answer
 * @param {CellText | null} base
 * @param {Column | undefined} baseColumn
 */
function answerBlock(answer, base, baseColumn) {
  const changed = base && diff(base.text, answer.text);
  const equal = base !== null && base.text === answer.text;
  const note = equal
    ? `= same as ${baseColumn?.letter}`
    : base && (changed === null || changed?.unlike)
      ? `different throughout from ${baseColumn?.letter}`
      : null;
  return h(
    "div",
    { class: "answer" },
    h(
      "p",
      { class: "line" },
      outcome(answer.state),
      note && h("span", { class: "quiet small" }, note),
    ),
    textBlock(answer.text, changed?.after ?? []),
    answer.scores.map(([metric, letter, reason]) =>
      h(
        "p",
        { class: "why small" },
        h("strong", {}, visible(metric)),
        ` ${OUTCOMES[letter]?.[0] ?? ""}`,
        reason && `: ${visible(reason)}`,
      ),
    ),
  );
}
