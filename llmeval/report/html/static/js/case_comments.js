// Comments of people on a case. They belong to the case, so later runs show them too.

import { h } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";
import { ghostButton } from "./widgets.js";

/** @import { CaseComment, CaseView } from "./types.js" */

/**
 * The comments on a case, and where the page comes from a server, a way to add one.
 *
 * @param {string} id
 * @param {CaseView} view
 */
export function caseComments(id, view) {
  const comments = view.comments(id);
  const add = view.addComment
    ? ghostButton("Comment on this case", () => view.addComment?.(id))
    : null;
  if (!comments.length && !add) return null;
  return h(
    "section",
    { class: "comments", id: "case-comments" },
    h("h3", {}, "Comments"),
    comments.length ? h("ul", { class: "criteria" }, comments.map(commentItem)) : null,
    add,
  );
}

/** @param {CaseComment} comment */
function commentItem({ author, at, text, void: isVoid }) {
  return h(
    "li",
    { class: isVoid ? "void" : null },
    h("strong", {}, visible(author || "(no name)")),
    h("span", { class: "quiet small" }, ` ${at.slice(0, 10)}`),
    " ",
    isVoid ? h("span", { class: "chip flat" }, "void: the case has changed") : null,
    textBlock(text, [], { class: "text rationale" }),
  );
}
